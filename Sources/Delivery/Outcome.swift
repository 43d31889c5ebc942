/// What has become of a request to central, as docs/fleet-protocol.md tells answers apart.
package enum Outcome: Equatable, Sendable {
    case succeeded
    /// No connection, broken off, 5xx, nothing in time, or garbage.
    case failed
    /// 429, or 503 that says how long to wait.
    case throttled(Duration)
    /// The same once more, signed anew: central has told its time, or has seen the nonce before.
    case toBeSignedAgain
    /// An operator has to approve the device.
    case pending
    /// Any other 4xx: only somebody can mend it.
    case refused
    /// Central does not know the device, or does not want it any more.
    case unwanted
}
