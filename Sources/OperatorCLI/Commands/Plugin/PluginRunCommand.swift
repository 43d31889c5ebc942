import ArgumentParser
import ControlProtocol
import LinuxSystem
import MonotonicTime
import PluginSession

struct PluginRunCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Execute a command in a plugin here, without a runtime or central.",
        discussion: """
            The plugin runs in a process of its own, as on a device, but with your rights and without confinement. Its \
            wishes count as granted; artifacts come from a folder, readings are shown, and there is no supervisor tree and no \
            bundle store. Its result goes to standard output, everything else to standard error.

            The command is a file such as {"kind": "lamp.blink", "payload": {"times": 3}}; an "id" may be added.

            EXAMPLES
              holdfast plugin run lamp.so --command command.json
              echo '{"kind": "lamp.blink"}' | holdfast plugin run lamp.so --command -
              holdfast plugin run ear.so --command load.json --artifacts models
            """)

    @Argument(help: "The plugin, a shared library.", completion: .file(extensions: ["so"]))
    var file: String

    @Option(
        name: .long, help: ArgumentHelp("The command, or - for standard input.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var command: String

    @Option(
        name: .long, help: ArgumentHelp("Where artifacts are, by their names.", valueName: "folder"),
        completion: .directory)
    var artifacts: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The plugin's private directory. (default: the plugin's name with .state, beside it)", valueName: "folder"),
        completion: .directory)
    var state: String?

    @Option(name: .long, help: ArgumentHelp("How long it may take.", valueName: "seconds"))
    var timeLimit: Double = 60

    @OptionGroup var host: PluginHost
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard timeLimit > 0, timeLimit <= 86_400 else {
            throw ValidationError("A time limit is more than 0 and at most 86400 seconds.")
        }
    }

    func perform(on console: Console) throws {
        let plugin = try PluginFile(path: file)
        let path = try host.path()
        let order = try TrialOrder(path: command, console: console)
        let report = try PluginHost.inspect(plugin, host: path)
        guard report.faults.isEmpty else {
            throw CommandError(
                code: .pluginUnusable,
                message: "\(file.escapedForTerminal) cannot be used (holdfast plugin check says more)",
                details: report.faults.map(\.message.escapedForTerminal))
        }
        var view = TrialView(plugin: report.name ?? file, order: order)
        let show = { (event: PluginTrial.Event) in
            view.add(event)
            if !output.json { console.complain(verbatim: view.line(event, console.palette)) }
        }
        let trial = PluginTrial(
            file: plugin, host: path, order: order, timeLimit: .milliseconds(Int64(timeLimit * 1000)),
            stateDirectory: try stateDirectory(plugin),
            requests: TrialRequests(grants: Set(report.grants), artifacts: artifacts) { show(.reading($0)) },
            onEvent: show)
        let (end, took) = try trial.run()
        if output.json { try console.print(view.json(end, took)) }
        switch end {
        case .failed(let failure):
            throw CommandError(
                code: .commandFailed, message: "\(failure.code.rawValue): \(failure.message.escapedForTerminal)")
        case .succeeded(let result):
            guard !output.json else { return }
            console.complain(verbatim: view.summary(took, console.palette))
            try console.print(result)
        }
    }

    /// Made if it is not there; absolute, for the plugin may change its working directory.
    private func stateDirectory(_ plugin: PluginFile) throws -> String {
        let base = plugin.path.hasSuffix(".so") ? String(plugin.path.dropLast(3)) : plugin.path
        let folder = state ?? "\(base).state"
        do throws(SystemError) {
            try SystemCall.makeDirectory(folder, permissions: 0o700)
        } catch {
            guard error.alreadyExists else { throw error }
        }
        return folder.hasPrefix("/") ? folder : "\(try SystemCall.currentDirectory())/\(folder)"
    }
}
