/// How a command stands on one device.
package enum CommandState: String, CaseIterable, Sendable {
    /// The device has not said anything of it yet.
    case queued
    case running, succeeded, failed
    /// The device does not do such a thing, or not with this payload.
    case rejected
    case expired
    /// A later command was there already.
    case superseded
    /// The uplink, or the device, died over it.
    case interrupted
    /// By an operator, before the device had it. Central's own: no device says it.
    case cancelled

    /// Whether nothing more can become of it.
    package var isTerminal: Bool {
        switch self {
        case .queued, .running: false
        case .succeeded, .failed, .rejected, .expired, .superseded, .interrupted, .cancelled: true
        }
    }
}
