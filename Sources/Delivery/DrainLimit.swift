package import MonotonicTime

/// How fast old data goes out, after a time without link: a fleet that comes back together must not drown central.
package struct DrainLimit: Equatable, Sendable {
    /// 0 is no bound.
    package var bytesPerSecond = 0
    /// Old data waits until then.
    package private(set) var notBefore: MonotonicInstant?

    package init() {}

    /// - Parameter bytes: of a batch with old data, as it went out.
    package mutating func sent(_ bytes: Int, at now: MonotonicInstant) {
        guard bytesPerSecond > 0 else {
            notBefore = nil
            return
        }
        notBefore = now + .seconds(Double(bytes) / Double(bytesPerSecond))
    }
}
