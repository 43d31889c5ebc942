import ControlProtocol
import LinuxSystem
import PluginSession

/// A command for a trial, read from a file: `{"kind": ..., "payload": ..., "id": ...}`.
struct TrialOrder {
    var id: String
    var kind: String
    var payload: JSONValue

    private enum Key: String { case id, kind, payload }

    /// - Parameter path: "-" is standard input.
    init(path: String, console: Console) throws {
        let limit = PluginLimits.longestPayload + 4096
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try path == "-" ? console.readInput(limit + 1) : SystemCall.readFile(path, limit: limit + 1)
        } catch {
            throw CommandError(
                code: .failed, message: "\(path.escapedForTerminal) cannot be read: \(error.message)")
        }
        do throws(JSONError) {
            let json = try JSONValue.parse(bytes, limits: JSONLimits(maximumBytes: limit, maximumDepth: 16))
            id = try json.optional(Key.id) ?? "trial"
            kind = try json.required(Key.kind)
            payload = json[Key.payload.rawValue] ?? .null
        } catch {
            throw CommandError(
                code: .usage,
                message: "\(path.escapedForTerminal) is no command, such as {\"kind\": \"lamp.blink\"}: \(error)")
        }
    }
}
