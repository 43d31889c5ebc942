import Foundation

/// What time it is. Tests set it.
package struct WallClock: Sendable {
    /// In milliseconds since 1970.
    package var now: @Sendable () -> Int64

    package init(_ now: @escaping @Sendable () -> Int64) { self.now = now }

    package static let system = WallClock {
        Int64(Date().timeIntervalSince1970 * 1000)
    }

    /// In whole seconds since 1970.
    package var seconds: Int64 { now() / 1000 }
}
