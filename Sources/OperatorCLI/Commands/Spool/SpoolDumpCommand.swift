import ArgumentParser
import ControlProtocol
import Spool

struct SpoolDumpCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump", abstract: "Print records: the number, the time, and what is in it.")

    @Argument(help: "The folder of one spool.", completion: .directory)
    var folder: String

    @Option(name: .long, help: ArgumentHelp("Only records with a higher number.", valueName: "number"))
    var after: UInt64 = 0

    @Option(name: .long, help: ArgumentHelp("How many at most.", valueName: "count"))
    var limit = Int.max

    @OptionGroup var output: OutputOptions

    private enum Key: String { case sequence, written = "written_ms", record }

    func perform(on console: Console) throws {
        var lines: [String] = []
        _ = try SpoolFolders.inspect(folder) { record in
            guard record.sequence > after, lines.count < limit else { return }
            lines.append(line(record))
        }
        try console.print(lines)
    }

    private func line(_ record: SpoolRecord) -> String {
        let text = String(decoding: record.bytes, as: UTF8.self)
        guard output.json else {
            let time = ClockText.dateAndTime(Double(record.writtenAt) / 1000)
            return "\(record.sequence)  \(time)  \(text.escapedForTerminal)"
        }
        let content = (try? JSONValue.parse(record.bytes)) ?? .string(text)
        let json: JSONValue = .object([
            Key.sequence: Int(clamping: record.sequence), .written: Int(record.writtenAt), .record: content,
        ])
        return String(decoding: json.serialised(), as: UTF8.self)
    }
}
