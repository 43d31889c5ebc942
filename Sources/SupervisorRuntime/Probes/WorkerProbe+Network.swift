import DeviceConfiguration
import MonitorProtocol

extension NetworkProbe {
    /// What the monitor makes of a worker's probes; `nil` for a program, which is run by `holdfastd` itself.
    init?(_ probe: WorkerProbe) {
        guard let address = probe.address else { return nil }
        let kind: Kind
        switch probe.kind {
        case .exec: return nil
        case .tcp: kind = .tcp
        case .http(let path, let statuses, let text): kind = .http(path: path, statuses: statuses, bodyContains: text)
        }
        self.init(
            name: probe.name, kind: kind, address: address.host, port: address.port, schedule: probe.schedule)
    }
}
