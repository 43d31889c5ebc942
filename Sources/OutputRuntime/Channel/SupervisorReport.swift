import ControlProtocol
import LinuxSystem

/// What this process tells holdfastd.
enum SupervisorReport {
    /// Logs have a place and FIFOs are drained.
    case ready
    case tail(id: Int, lines: [String])
    /// The events up to this number have been dealt with.
    case logged(event: Int)
    case lost(worker: String, LossReport.Share)
    /// Something an operator should know, such as "there is no journal here".
    case warning(String)

    var json: JSONValue {
        switch self {
        case .ready: ["type": "ready"]
        case .tail(let id, let lines):
            ["type": "tail", "id": id.json, "lines": .array(lines.map { .string($0) })]
        case .logged(let event): ["type": "logged", "event": event.json]
        case .lost(let worker, let loss):
            [
                "type": "lost", "worker": .string(worker), "lines": loss.count.lines.json,
                "bytes": loss.count.bytes.json, "because": .string(loss.because),
            ]
        case .warning(let message): ["type": "warning", "message": .string(message)]
        }
    }

    /// As a packet of at most `PacketChannel.largestPacket` bytes; of a tail that is longer (control characters are
    /// six bytes each in JSON) the oldest lines are left out.
    var packet: [UInt8] {
        var report = self
        while true {
            let bytes = report.json.serialised()
            guard bytes.count > PacketChannel.largestPacket, case .tail(let id, let lines) = report, !lines.isEmpty
            else { return bytes }
            report = .tail(id: id, lines: Array(lines.dropFirst((lines.count + 3) / 4)))
        }
    }
}
