/// How far the device goes to protect itself. Each level includes what the ones below it do.
package enum Level: Int, CaseIterable, Comparable, Sendable {
    case normal
    /// Workers get less of the processor.
    case throttle
    /// Workers that are not essential are paused, one at a time, until it helps.
    case shed
    /// All that are not essential are paused at once.
    case critical

    package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }

    /// As in the configuration and in reports.
    package var name: String {
        switch self {
        case .normal: "normal"
        case .throttle: "throttle"
        case .shed: "shed"
        case .critical: "critical"
        }
    }

    package init?(name: String) {
        guard let level = Level.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }
}

/// Why work is shed. A worker resumes only when every cause has let it go.
package enum Cause: String, CaseIterable, Comparable, Sendable {
    case heat
    case memory
    /// Processor, input and output, free disk, load.
    case pressure

    package static func < (left: Cause, right: Cause) -> Bool { left.rawValue < right.rawValue }
}
