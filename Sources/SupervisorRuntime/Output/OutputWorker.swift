import DeviceConfiguration

/// `holdfast-output` as a worker of the tree: the first child of the built-in `system` supervisor.
enum OutputWorker {
    static let name = "holdfast-output"

    /// Far above what the tails of thousands of workers take: what grows beyond has a leak. It locks no memory.
    static let limits = [
        ResourceLimit(resource: .dataSize, value: .atMost(512 << 20)),
        ResourceLimit(resource: .lockedMemory, value: .atMost(0)),
    ]
}
