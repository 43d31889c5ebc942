/// How long to wait after failures: a random time up to a bound that doubles ("full jitter"), so that devices which failed
/// together do not come back together.
package enum Backoff {
    package static let first: Duration = .seconds(2)
    package static let longest: Duration = .seconds(300)
    /// However small the random number is: two tries in a row are no loop.
    package static let shortest: Duration = .milliseconds(50)
    /// What central may ask for at most.
    package static let longestThrottle: Duration = .seconds(3600)
    /// After a refusal that only somebody can mend.
    package static let afterRefusal: Duration = .seconds(900)
    /// While an operator has not approved the device.
    package static let whilePending: Duration = .seconds(30)

    /// The longest wait after so many failures in a row.
    package static func bound(failures: Int) -> Duration {
        guard failures > 0 else { return .zero }
        return min(longest, first * (1 << min(failures - 1, 16)))
    }

    package static func delay(failures: Int, using random: inout some RandomNumberGenerator) -> Duration {
        max(shortest, bound(failures: failures) * Double.random(in: 0..<1, using: &random))
    }
}
