import ArgumentParser
import ControlProtocol
import LinuxSystem

struct ExecuteCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "execute",
        abstract: "Have a plugin of this device carry out a command, and wait for its end.",
        discussion: """
            As central would, but from here: for trials, and for a device without central. The result goes to standard \
            output; progress, and what the plugin logs, to standard error. Ctrl-C ends the waiting, not the command: the same \
            --id again waits on, and holdfast plugin cancel ends it. The exit status is 1 when the command fails.

            EXAMPLES
              holdfast execute lamp.blink --payload '{"times": 3}'
              holdfast execute model.load --payload @load.json --time-limit 120
            """)

    @Argument(help: "The kind of the command, as holdfast plugin list shows it.")
    var kind: String

    @Option(
        name: .long,
        help: ArgumentHelp("What the plugin gets: a JSON object, or @FILE with one.", valueName: "json"))
    var payload: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Names the command: the same one is not carried out twice. (default: a new one)"))
    var id: String?

    @Option(
        name: .long, help: ArgumentHelp("A shorter limit than the plugin's own, in seconds.", valueName: "seconds"))
    var timeLimit: Double?

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    /// Of a call altogether (docs/control-protocol.md).
    private static let largestPayload = 64 * 1024

    func validate() throws {
        guard timeLimit.map({ $0 > 0 && $0 <= 86_400 }) ?? true else {
            throw ValidationError("A time limit is more than 0 and at most 86400 seconds.")
        }
    }

    func perform(on console: Console) throws {
        var random = SystemRandomNumberGenerator()
        let id = id ?? "cli-\(String(UInt64.random(in: .min ... .max, using: &random), radix: 16))"
        let call = ExecutionCall(
            id: id, kind: kind, payload: try payload.map { try Self.object($0) },
            timeLimit: timeLimit.map { .seconds($0) })
        let client = try connection.connect(console)
        if !output.json, self.id == nil { console.complain(verbatim: console.palette(.faint, "command \(id)")) }
        var end: ExecutionReply?
        try client.stream(.execute(call), as: ExecutionReply.self, waitsForEver: true) { reply in
            if reply.isLast { end = reply }
            if output.json { return try console.print(reply.json) }
            if let line = Self.line(reply, console.palette) { console.complain(verbatim: line) }
        }
        guard let end else { throw CommandError(code: .protocolViolation, message: "the runtime has told no end") }
        guard end.state == .succeeded else {
            throw CommandError(
                code: .commandFailed,
                message: "\(end.code ?? "failed"): \((end.message ?? "").escapedForTerminal)")
        }
        if !output.json { try console.print(end.result ?? .null) }
    }

    private static func line(_ reply: ExecutionReply, _ palette: Palette) -> String? {
        if let log = reply.log { return log.escapedForTerminal }
        switch reply.state {
        case .queued: return palette(.faint, "waiting for another command")
        case .running:
            let words = [reply.percent.map { "\($0) %" }, reply.message].compactMap { $0 }.filter { !$0.isEmpty }
            return words.isEmpty ? nil : palette(.faint, words.joined(separator: ": ").escapedForTerminal)
        case .succeeded, .failed: return nil
        }
    }

    private static func object(_ text: String) throws -> JSONObject {
        var bytes = Array(text.utf8)
        if text.hasPrefix("@") {
            let path = String(text.dropFirst())
            do throws(SystemError) {
                bytes = try SystemCall.readFile(path, limit: largestPayload)
            } catch {
                throw CommandError(
                    code: .failed, message: "\(path.escapedForTerminal) cannot be read: \(error.message)")
            }
        }
        do {
            return try JSONObject(json: try JSONValue.parse(bytes))
        } catch {
            throw CommandError(code: .usage, message: "the payload is no JSON object: \(error)")
        }
    }
}
