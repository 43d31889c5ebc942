package import LinuxSystem

/// One resource limit of a worker's processes, soft and hard alike (setrlimit(2)).
package struct ResourceLimit: Equatable, Sendable {
    /// The kernel's numbers, the same on all architectures that Holdfast is built for (asm-generic/resource.h).
    package enum Resource: Int32, CaseIterable, Sendable {
        case cpuTime = 0
        case fileSize = 1
        case dataSize = 2
        case stackSize = 3
        case coreSize = 4
        case processes = 6
        case openFiles = 7
        case lockedMemory = 8
        case addressSpace = 9
    }

    package enum Value: Equatable, Sendable, CustomStringConvertible {
        /// A count, bytes, or seconds.
        case atMost(UInt64)
        case unlimited

        package var description: String {
            switch self {
            case .atMost(let number): "\(number)"
            case .unlimited: "\"unlimited\""
            }
        }
    }

    package var resource: Resource
    package var value: Value

    package init(resource: Resource, value: Value) {
        self.resource = resource
        self.value = value
    }

    /// The limit as a spawn takes it.
    package var forSpawn: SpawnRequest.Limit {
        let number: UInt64 =
            switch value {
            case .atMost(let number): number
            // RLIM_INFINITY.
            case .unlimited: .max
            }
        return SpawnRequest.Limit(resource: resource.rawValue, soft: number, hard: number)
    }
}
