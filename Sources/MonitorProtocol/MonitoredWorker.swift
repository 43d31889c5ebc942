package import ControlProtocol
import MonotonicTime
package import Probing

/// A worker as far as the monitor has to know it.
package struct MonitoredWorker: Equatable, Sendable {
    package var name: String
    package var supervisor: String
    /// As in `WorkerReport`.
    package var state: String
    package var isEssential: Bool
    /// The lower, the earlier it is shed.
    package var shedOrder: Int
    package var restarts: Int
    /// Of the process that runs; changes with each start.
    package var instance: UInt64?
    package var pid: Int?
    /// Its folder below /sys/fs/cgroup, where it has one.
    package var cgroup: String?
    /// tcp and http; what is executed is holdfastd's.
    package var probes: [NetworkProbe]

    package init(
        name: String, supervisor: String, state: String, isEssential: Bool, shedOrder: Int, restarts: Int,
        instance: UInt64? = nil, pid: Int? = nil, cgroup: String? = nil, probes: [NetworkProbe] = []
    ) {
        self.name = name
        self.supervisor = supervisor
        self.state = state
        self.isEssential = isEssential
        self.shedOrder = shedOrder
        self.restarts = restarts
        self.instance = instance
        self.pid = pid
        self.cgroup = cgroup
        self.probes = probes
    }
}

extension MonitoredWorker: JSONConvertible {
    private enum Key: String {
        case name, supervisor, state, essential, restarts, instance, pid, cgroup, probes
        case shedOrder = "shed_order"
    }

    package init(json: JSONValue) throws(JSONError) {
        let instance: Int? = try json.optional(Key.instance)
        self.init(
            name: try json.required(Key.name), supervisor: try json.required(Key.supervisor),
            state: try json.required(Key.state), isEssential: try json.required(Key.essential),
            shedOrder: try json.required(Key.shedOrder), restarts: try json.required(Key.restarts),
            instance: instance.map { UInt64(clamping: $0) }, pid: try json.optional(Key.pid),
            cgroup: try json.optional(Key.cgroup), probes: try json.required(Key.probes))
    }

    package var json: JSONValue {
        .object([
            Key.name: name, .supervisor: supervisor, .state: state, .essential: isEssential, .shedOrder: shedOrder,
            .restarts: restarts, .instance: instance.map { Int(clamping: $0) }, .pid: pid, .cgroup: cgroup,
            .probes: probes,
        ])
    }
}

/// A probe that asks a worker over the loopback interface whether it is well.
package struct NetworkProbe: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// It is well when the connection comes about.
        case tcp
        /// It is well when a GET of the path is answered with such a status, and with a body that contains the text.
        case http(path: String, statuses: ClosedRange<Int>, bodyContains: String?)
    }

    /// Unique among the probes of its worker.
    package var name: String
    package var kind: Kind
    /// 127.0.0.1, another address of 127.0.0.0/8, or ::1.
    package var address: String
    package var port: Int
    package var schedule: ProbeSchedule

    package init(name: String, kind: Kind, address: String, port: Int, schedule: ProbeSchedule) {
        self.name = name
        self.kind = kind
        self.address = address
        self.port = port
        self.schedule = schedule
    }
}

extension ProbeSchedule: JSONConvertible {
    private enum Key: String {
        case failures
        case interval = "interval_ms"
        case timeout = "timeout_ms"
        case startGrace = "start_grace_ms"
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            interval: .milliseconds(try json.required(Key.interval) as Int),
            timeout: .milliseconds(try json.required(Key.timeout) as Int),
            failures: try json.required(Key.failures),
            startGrace: .milliseconds(try json.required(Key.startGrace) as Int))
    }

    package var json: JSONValue {
        .object([
            Key.interval: interval.inWholeMilliseconds, .timeout: timeout.inWholeMilliseconds, .failures: failures,
            .startGrace: startGrace.inWholeMilliseconds,
        ])
    }
}

extension NetworkProbe: JSONConvertible {
    private enum Key: String {
        case name, address, port, schedule, path
        case lowestStatus = "lowest_status"
        case highestStatus = "highest_status"
        case bodyContains = "body_contains"
    }

    package init(json: JSONValue) throws(JSONError) {
        let path: String? = try json.optional(Key.path)
        var kind = Kind.tcp
        if let path {
            let lowest: Int = try json.required(Key.lowestStatus)
            let highest: Int = try json.required(Key.highestStatus)
            kind = .http(
                path: path, statuses: lowest...max(lowest, highest), bodyContains: try json.optional(Key.bodyContains))
        }
        self.init(
            name: try json.required(Key.name), kind: kind, address: try json.required(Key.address),
            port: try json.required(Key.port), schedule: try json.required(Key.schedule))
    }

    package var json: JSONValue {
        var path: String?
        var statuses: ClosedRange<Int>?
        var bodyContains: String?
        if case .http(let ofProbe, let allowed, let text) = kind {
            (path, statuses, bodyContains) = (ofProbe, allowed, text)
        }
        return .object([
            Key.name: name, .address: address, .port: port, .schedule: schedule, .path: path,
            .lowestStatus: statuses?.lowerBound, .highestStatus: statuses?.upperBound, .bodyContains: bodyContains,
        ])
    }
}
