import ControlProtocol
import Supervision

/// An event as the ring keeps it: small, since most of a thousand are changes of a worker's state. The names are shared
/// with the tree; words and keys are made when somebody reads it.
struct RecordedEvent {
    enum Content {
        case change(from: WorkerState, to: WorkerState)
        case other(message: String, details: JSONObject)
    }

    let sequence: Int
    /// Seconds since 1970.
    let time: Double
    /// Seconds since boot.
    let monotonic: Double
    let kind: EventKind
    let worker: String?
    let supervisor: String?
    let content: Content

    var report: EventReport {
        EventReport(
            sequence: sequence, time: time, monotonic: monotonic, kind: kind.rawValue, worker: worker,
            supervisor: supervisor, message: message, details: details)
    }

    private var message: String {
        switch content {
        case .change(let from, let to): "\(from.rawValue) -> \(to.rawValue)"
        case .other(let message, _): message
        }
    }

    private var details: JSONObject {
        switch content {
        case .change(let from, let to): ["from": .string(from.rawValue), "to": .string(to.rawValue)]
        case .other(_, let details): details
        }
    }
}
