import ArgumentParser
import ControlProtocol
import DeviceConfiguration
import LinuxSystem

struct ImportCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Turn the settings and workers of ImunoEdge into a configuration.",
        discussion: """
            Reads the .env of ImunoEdge and prints TOML that holdfast check accepts, or writes it to a file. What has no \
            counterpart stands there as a comment. Everything that is wrong with the .env is told at once, by lines.

            EXAMPLES
              holdfast config import /opt/imunoedge/.env
              sudo holdfast config import .env --output /etc/holdfast/conf.d/imunoedge.toml
              holdfast config import - --working-directory /opt/imunoedge < device.env
            """)

    @Argument(
        help: ArgumentHelp("The .env of ImunoEdge; - for standard input.", valueName: "file"), completion: .file())
    var file: String

    @Option(
        name: .customLong("output"),
        help: ArgumentHelp("Write the TOML to a file that does not exist yet.", valueName: "path"),
        completion: .file(extensions: ["toml"]))
    var destination: String?

    @Flag(name: .long, help: "Let --output replace a file.")
    var force = false

    @Option(
        name: .long,
        help: ArgumentHelp("Where workers start. (default: the folder of the .env)", valueName: "path"),
        completion: .directory)
    var workingDirectory: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Who workers run as. (default: \(ImportCommand.usualUser) if there is one, else default_user of the "
                + "configuration)", valueName: "name"))
    var user: String?

    @OptionGroup var output: OutputOptions

    /// What ImunoEdge's installer calls its user.
    private static let usualUser = "imunoedge"
    private static let largestFile = 1 << 20
    private static let mostProblems = 500

    func validate() throws {
        guard !force || destination != nil else { throw ValidationError("--force needs --output.") }
        guard workingDirectory?.hasPrefix("/") != false else {
            throw ValidationError("--working-directory needs an absolute path.")
        }
    }

    func perform(on console: Console) throws {
        let isStandardInput = file == "-"
        let bytes = try isStandardInput ? console.readInput(Self.largestFile + 1) : read()
        guard bytes.count <= Self.largestFile else {
            throw CommandError(code: .failed, message: "\(file) has more than 1M, and can be no .env")
        }
        let result = ImunoEdgeImport(DotEnvFile(bytes), try options(isStandardInput: isStandardInput))
        if !result.problems.isEmpty { throw failure(result.problems) }
        let text = result.toml
        try check(text)
        if let destination { try write(text, to: destination) }
        let view = ImportView(result, source: name, destination: destination)
        if output.json { return try console.print(view.json) }
        if destination == nil {
            try console.write(text)
            for line in view.lines { console.complain(verbatim: line) }
        } else {
            try console.print(view.lines)
        }
    }

    /// What messages call the source.
    private var name: String { file == "-" ? "standard input" : file }

    private func read() throws -> [UInt8] {
        do throws(SystemError) {
            return try SystemCall.readFile(file, limit: Self.largestFile + 1)
        } catch {
            let reason = error.isNotFound ? "does not exist" : "cannot be read: \(error.message)"
            throw CommandError(code: .failed, message: "\(file.escapedForTerminal) \(reason)")
        }
    }

    private func failure(_ problems: [ImportProblem]) -> CommandError {
        let count = problems.count == 1 ? "1 problem" : "\(problems.count) problems"
        var details = problems.prefix(Self.mostProblems).map { ImportView.text($0, in: name) }
        if problems.count > details.count { details.append("\(problems.count - details.count) more are not shown") }
        return CommandError(
            code: .configurationInvalid, message: "\(name.escapedForTerminal) has \(count), and nothing was made of it",
            details: details)
    }

    /// What is written has to be valid, whatever stood in the source.
    private func check(_ text: String) throws {
        let source = ConfigurationSource(file: destination ?? "the configuration", bytes: Array(text.utf8))
        var details = Configuration.read([source], hostName: "device").problems.map(\.description)
        if source.bytes.count > Configuration.largestFile { details.append("it would have more than 1M") }
        guard details.isEmpty else {
            throw CommandError(
                code: .configurationInvalid,
                message: "no valid configuration can be made of \(name.escapedForTerminal)",
                details: details.map(\.escapedForTerminal))
        }
    }

    // MARK: Options

    private func options(isStandardInput: Bool) throws -> ImunoEdgeImport.Options {
        let current = try SystemCall.currentDirectory()
        let folder = workingDirectory ?? (isStandardInput ? current : Self.folder(of: file, from: current))
        var user = user
        if user == nil, (try? AccountDatabase.user(named: Self.usualUser)) != nil { user = Self.usualUser }
        return ImunoEdgeImport.Options(
            file: name, workingDirectory: folder, user: user, launcher: Self.launcher(from: current))
    }

    /// The absolute path of a file's folder, without what leads nowhere.
    static func folder(of path: String, from current: String) -> String {
        var parts: [Substring] = []
        for part in (path.hasPrefix("/") ? path : "\(current)/\(path)").split(separator: "/").dropLast() {
            switch part {
            case ".": break
            // Where a link leads up to is for the kernel to say.
            case "..": parts.append("..")
            default: parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The launcher beside this program, by the way that led to this one: an installation is reached by links that
    /// outlive its releases.
    private static func launcher(from current: String) -> String? {
        var folders: [String] = []
        let called = CommandLine.arguments.first ?? ""
        if called.contains("/") {
            folders.append(folder(of: called, from: current))
        } else if !called.isEmpty {
            let searched = (ProcessEnvironment.value("PATH") ?? "").split(separator: ":").map(String.init)
            folders += searched.filter { (try? SystemCall.status(of: "\($0)/\(called)")) != nil }.prefix(1)
        }
        if let program = try? SystemCall.linkTarget("/proc/self/exe") {
            folders.append(folder(of: program, from: current))
        }
        return folders.map { "\($0)/\(WorkerLaunch.imunoEdgeLauncher)" }.first {
            (try? SystemCall.status(of: $0))?.kind == .regular
        }
    }

    // MARK: Writing

    /// Others may read the result only if they may read the source: a `.env` may hold secrets.
    private var permissions: UInt32 {
        let mode = file == "-" ? 0 : (try? SystemCall.status(of: file))?.mode ?? 0
        return 0o600 | mode & 0o044
    }

    private func write(_ text: String, to path: String) throws {
        // What is replaced is so in one step.
        let place = force ? "\(path).new-\(SystemCall.processID())" : path
        do throws(SystemError) {
            let target = try SystemCall.open(place, [.writeOnly, .create, .exclusive], permissions: permissions)
            do throws(SystemError) {
                try target.writeAll(Array(text.utf8))
                try SystemCall.synchronize(target.rawValue)
                if force { try SystemCall.rename(place, to: path) }
            } catch {
                try? SystemCall.removeFile(place)
                throw error
            }
        } catch {
            throw CommandError(
                code: error.isPermissionDenied ? .notPermitted : .failed,
                message: error.alreadyExists
                    ? "\(path.escapedForTerminal) is there already, and only --force replaces it"
                    : "\(path.escapedForTerminal) cannot be written: \(error.message)")
        }
    }
}

extension Descriptor {
    fileprivate borrowing func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Never "would block": a regular file does not.
            guard let count = try SystemCall.write(rawValue, Array(rest)).value else { return }
            rest = rest.dropFirst(count)
        }
    }
}
