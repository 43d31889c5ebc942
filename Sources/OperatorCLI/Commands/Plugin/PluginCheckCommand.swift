import ArgumentParser
import ControlProtocol
import LinuxSystem
import PluginSession

struct PluginCheckCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say everything that is wrong with a plugin.",
        discussion: """
            Looks at the file, at what it needs of other libraries, and at what it says of itself; for the last it is loaded \
            in a process of its own, where its constructors run. Exit status 1 when something is wrong.

            EXAMPLES
              holdfast plugin check lamp.so
              holdfast plugin check --json lamp.so
            """)

    @Argument(help: "The plugin, a shared library.", completion: .file(extensions: ["so"]))
    var file: String

    @OptionGroup var host: PluginHost
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let view = try check()
        if output.json {
            try console.print(view.json)
        } else {
            try console.print(view.lines(console.palette))
        }
        guard view.findings.isEmpty else {
            let count = view.findings.count == 1 ? "1 thing is" : "\(view.findings.count) things are"
            throw CommandError(code: .pluginUnusable, message: "\(count) wrong with \(file.escapedForTerminal)")
        }
    }

    private func check() throws -> PluginView {
        let plugin = try PluginFile(path: file)
        let path = try host.path()
        var view = PluginView(path: file, findings: plugin.ownershipFaults(), notes: plugin.ownershipNotes())
        let format = plugin.formatFaults()
        view.findings += format
        guard format.isEmpty else { return view }
        let missing = try LinkerTrace.missing(in: plugin.path, searchPath: plugin.folder)
        view.findings += missing
        let report = try PluginHost.inspect(plugin, host: path)
        view.report = report
        // The linker has said the same, about the first thing that it missed.
        view.findings += report.faults.filter { missing.isEmpty || $0.code != .notLoadable }.map {
            PluginFinding($0.code.rawValue, $0.message)
        }
        return view
    }
}
