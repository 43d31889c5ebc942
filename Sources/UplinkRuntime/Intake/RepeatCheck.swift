import ControlProtocol
import Spool

/// What the process before this one stored last. It may have died between storing a datagram and taking it off the socket:
/// then the first one of that worker is the same again.
struct RepeatCheck {
    /// A record without what is different each time it is stored.
    private struct Content: Equatable {
        var worker: String
        /// Of an event.
        var name: String?
        var values: JSONValue
    }

    private var last: Content?

    /// Takes the last record of a spool that was just opened.
    init(_ spool: Spool) {
        let written = spool.statistics.written
        guard written > 0, let items = try? spool.read(after: written - 1, maximumBytes: 1),
            case .record(let record)? = items.last, let json = try? JSONValue.parse(record.bytes),
            let worker = json["w"]?.stringValue, let values = json["v"] ?? json["data"]
        else { return }
        last = Content(worker: worker, name: json["name"]?.stringValue, values: values)
    }

    /// Whether this is the first datagram of the worker and holds what was stored last.
    mutating func mayRepeat(_ lines: [TelemetryLine], of worker: String) -> Bool {
        guard let last, last.worker == worker else { return false }
        self.last = nil
        return lines.contains { line in
            switch line {
            case .reading(let values, _):
                last == Content(worker: worker, values: .object(values))
            case .event(let name, let data, _):
                last == Content(worker: worker, name: name, values: .object(data))
            }
        }
    }
}
