import ArgumentParser
import CPluginTemplates
import ControlProtocol
import LinuxSystem

struct PluginNewCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Write a new plugin, which builds with make.",
        discussion: """
            Makes a folder of the plugin's name with a source to begin with, the contract, and a Makefile. Nothing else of \
            Holdfast is needed to build it.

            EXAMPLES
              holdfast plugin new lamp --language c
              cd lamp && make check run
            """)

    enum Language: String, CaseIterable, ExpressibleByArgument {
        case c, swift
    }

    @Argument(help: "The plugin's name: a-z, 0-9 and -, beginning with a letter.")
    var name: String

    @Option(name: .long, help: "c or swift.")
    var language: Language

    @Option(
        name: .long, help: ArgumentHelp("Where the plugin's folder is made. (default: here)", valueName: "folder"),
        completion: .directory)
    var `in`: String = "."

    @OptionGroup var output: OutputOptions

    private enum Key: String { case folder, files }

    func validate() throws {
        let letters = Set("abcdefghijklmnopqrstuvwxyz0123456789-")
        guard let first = name.first, first.isLetter, name.allSatisfy(letters.contains), name.utf8.count <= 40,
            !name.hasSuffix("-")
        else {
            throw ValidationError(
                "A plugin's name has a-z, 0-9 and -, begins with a letter, and has at most 40 of them.")
        }
    }

    func perform(on console: Console) throws {
        var count = 0
        guard let files = hf_template_files(language.rawValue, &count) else { return }
        let folder = self.in == "." ? name : "\(self.in)/\(name)"
        do throws(SystemError) {
            try SystemCall.makeDirectory(folder)
        } catch {
            guard error.alreadyExists else { throw error }
            throw CommandError(
                code: .failed, message: "\(folder.escapedForTerminal) is there already, and nothing in it was changed")
        }
        var written: [String] = []
        for file in UnsafeBufferPointer(start: files, count: count) {
            let path = fill(String(cString: file.path))
            let bytes = UnsafeRawBufferPointer(start: file.bytes, count: file.length)
            try write(fill(String(decoding: bytes, as: UTF8.self)), to: "\(folder)/\(path)", below: folder)
            written.append(path)
        }
        if output.json {
            return try console.print(.object([Key.folder: folder, .files: written]))
        }
        try console.print(written.map { "\(folder)/\($0)".escapedForTerminal })
        try console.print("next: cd \(folder.escapedForTerminal) && make check run")
    }

    private func fill(_ text: String) -> String {
        text.replacing("@NAME@", with: name).replacing("@TYPE@", with: typeName)
    }

    /// "lamp-post" as "LampPost".
    private var typeName: String {
        name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private func write(_ text: String, to path: String, below folder: String) throws {
        var parent = folder
        for part in path.dropFirst(folder.count + 1).split(separator: "/").dropLast() {
            parent += "/\(part)"
            do throws(SystemError) {
                try SystemCall.makeDirectory(parent)
            } catch {
                guard error.alreadyExists else { throw error }
            }
        }
        let file = try SystemCall.open(path, [.writeOnly, .create, .exclusive], permissions: 0o644)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            guard case .done(let count) = try SystemCall.write(file.rawValue, Array(rest)) else { break }
            rest = rest.dropFirst(count)
        }
    }
}
