import ControlProtocol
import DeviceConfiguration

/// `holdfast-uplink` as a worker of the tree: the third child of the built-in `system` supervisor.
enum UplinkWorker {
    static let name = "holdfast-uplink"

    /// Far above what spools, TLS and a batch of a mebibyte take. It locks no memory.
    static let limits = [
        ResourceLimit(resource: .dataSize, value: .atMost(256 << 20)),
        ResourceLimit(resource: .lockedMemory, value: .atMost(0)),
    ]

    /// What it may ask of the runtime, on control connections that it has to ask for.
    static let methods: Set<RuntimeMethod.Name> = [
        .status, .events, .incidents, .logs, .health, .metrics, .startWorker, .stopWorker, .restartWorker,
        .pauseWorker, .resumeWorker, .reload, .execute, .cancelExecution, .plugins, .deployments,
    ]
    /// At a time.
    static let mostControlConnections = 40
}
