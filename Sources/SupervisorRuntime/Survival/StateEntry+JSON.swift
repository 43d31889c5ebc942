import ControlProtocol
import Supervision

extension StateEntry {
    var stateJSON: JSONValue {
        var writer = StateWriter()
        writer.add("last_instance", .int(Int64(bitPattern: changes.lastInstance)))
        writer.add("last_event", lastEvent)
        writer.add("shutting_down", changes.isShuttingDown)
        writer.add("removed_workers", changes.removedWorkers.map { .string($0) })
        writer.add("removed_supervisors", changes.removedSupervisors.map { .string($0) })
        writer.add("workers", changes.workers.map(\.stateJSON))
        writer.add("supervisors", changes.supervisors.map(\.stateJSON))
        writer.add(
            "processes", processes.sorted { $0.key < $1.key }.map { $0.value.stateJSON(of: $0.key) })
        return writer.json
    }

    init(stateJSON json: JSONValue) throws(JSONError) {
        let reader = StateReader(json: json)
        changes = TreeChanges(
            lastInstance: UInt64(bitPattern: Int64(try reader.integer("last_instance"))),
            isShuttingDown: try reader.flag("shutting_down"), removedWorkers: try reader.texts("removed_workers"),
            removedSupervisors: try reader.texts("removed_supervisors"))
        lastEvent = try reader.integer("last_event")
        for worker in try reader.list("workers") { changes.workers.append(try WorkerRecord(stateJSON: worker)) }
        for supervisor in try reader.list("supervisors") {
            changes.supervisors.append(try SupervisorRecord(stateJSON: supervisor))
        }
        for process in try reader.list("processes") {
            let (instance, identity) = try ProcessIdentity.read(stateJSON: StateReader(json: process))
            processes[instance] = identity
        }
    }
}

extension ProcessIdentity {
    fileprivate func stateJSON(of instance: InstanceID) -> JSONValue {
        var writer = StateWriter()
        writer.add("instance", .int(Int64(bitPattern: instance.rawValue)))
        writer.add("pid", Int(leader))
        writer.add("start", .int(Int64(bitPattern: leaderStart)))
        if main != leader {
            writer.add("main_pid", Int(main))
            writer.add("main_start", .int(Int64(bitPattern: mainStart)))
        }
        writer.add("cgroup", cgroup)
        return writer.json
    }

    fileprivate static func read(stateJSON reader: StateReader) throws(JSONError) -> (InstanceID, ProcessIdentity) {
        func pid(_ key: String) throws(JSONError) -> Int32 {
            guard let pid = Int32(exactly: try reader.integer(key)), pid > 1 else {
                throw JSONError(.numberOutOfRange, at: key, "is no process of a worker")
            }
            return pid
        }
        let leader = try pid("pid")
        let leaderStart = UInt64(bitPattern: Int64(try reader.integer("start")))
        let hasOtherMain = reader.json["main_pid"] != nil
        let identity = ProcessIdentity(
            leader: leader, leaderStart: leaderStart, main: hasOtherMain ? try pid("main_pid") : leader,
            mainStart: hasOtherMain ? UInt64(bitPattern: Int64(try reader.integer("main_start"))) : leaderStart,
            cgroup: reader.json["cgroup"]?.stringValue)
        return (InstanceID(rawValue: UInt64(bitPattern: Int64(try reader.integer("instance")))), identity)
    }
}
