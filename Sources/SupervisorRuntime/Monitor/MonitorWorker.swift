import DeviceConfiguration

/// `holdfast-monitor` as a worker of the tree: the second child of the built-in `system` supervisor.
enum MonitorWorker {
    static let name = "holdfast-monitor"

    /// Far above what thousands of workers and hundreds of sensors take. It locks no memory.
    static let limits = [
        ResourceLimit(resource: .dataSize, value: .atMost(256 << 20)),
        ResourceLimit(resource: .lockedMemory, value: .atMost(0)),
    ]
}
