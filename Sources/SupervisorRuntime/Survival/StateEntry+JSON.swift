import ControlProtocol
import Supervision

extension StateEntry {
    var stateText: [UInt8] {
        stateText(workers: changes.workers.map(\.stateText), supervisors: changes.supervisors.map(\.stateText))
    }

    /// With the texts of workers and supervisors, which are known already.
    func stateText(workers: [[UInt8]], supervisors: [[UInt8]]) -> [UInt8] {
        var writer = StateWriter()
        writer.add("last_instance", changes.lastInstance)
        writer.add("last_event", Int64(lastEvent))
        writer.add("shutting_down", changes.isShuttingDown)
        writer.add("removed_workers", texts: changes.removedWorkers)
        writer.add("removed_supervisors", texts: changes.removedSupervisors)
        writer.add("workers", objects: workers)
        writer.add("supervisors", objects: supervisors)
        writer.add(
            "processes", objects: processes.sorted { $0.key < $1.key }.map { $0.value.stateText(of: $0.key) })
        return writer.object
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
    fileprivate func stateText(of instance: InstanceID) -> [UInt8] {
        var writer = StateWriter()
        writer.add("instance", instance.rawValue)
        writer.add("pid", Int64(leader))
        writer.add("start", leaderStart)
        if main != leader {
            writer.add("main_pid", Int64(main))
            writer.add("main_start", mainStart)
        }
        writer.add("cgroup", cgroup)
        return writer.object
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
