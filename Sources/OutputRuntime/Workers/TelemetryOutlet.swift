import ControlProtocol
import LinuxSystem

/// Takes lines that are JSON objects out of a worker's output and sends them to its telemetry socket, which is
/// `holdfast-uplink`'s to read. Never waits: what does not fit is lost, and counted.
struct TelemetryOutlet {
    enum Outcome {
        /// Any other line, or a part of one.
        case isNone
        case sent
        case lost
    }

    let socket: SharedDescriptor
    /// What comes next is the rest of a line of which a part was handed on already.
    private var isWithinLine = false

    init(socket: SharedDescriptor) {
        self.socket = socket
    }

    mutating func take(_ line: UnsafeRawBufferPointer, _ ending: LineSplitter.Ending) -> Outcome {
        let isWhole = !isWithinLine && ending == .lineBreak
        isWithinLine = ending == .longest
        guard isWhole, Self.isObject(line) else { return .isNone }
        guard let number = socket.rawValue, case .done? = try? SystemCall.send(number, line) else { return .lost }
        return .sent
    }

    private static func isObject(_ line: UnsafeRawBufferPointer) -> Bool {
        // Most lines are told by their first letter.
        guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 }), first == UInt8(ascii: "{") else {
            return false
        }
        guard case .object? = try? JSONValue.parse(line) else { return false }
        return true
    }
}
