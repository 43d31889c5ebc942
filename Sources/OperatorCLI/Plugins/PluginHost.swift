import ArgumentParser
import LinuxSystem
import PluginSession

/// Where the program is that loads plugins: never this one.
struct PluginHost: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The program that loads the plugin. (default: holdfast-plugin-host beside this one)", valueName: "path"),
        completion: .file())
    var host: String?

    /// - Throws: `CommandError` when it is not there.
    func path() throws -> String {
        let path = try host ?? Self.beside(SystemCall.executablePath())
        guard (try? SystemCall.status(of: path))?.kind == .regular else {
            throw CommandError(
                code: .failed,
                message: "\(path.escapedForTerminal) is not there, which loads plugins; name it with --host")
        }
        return path
    }

    private static func beside(_ program: String) -> String {
        let folder = program.lastIndex(of: "/").map { program[..<$0] } ?? "."
        return "\(folder)/holdfast-plugin-host"
    }

    /// What a plugin's process has of the environment, as on a device. `$ORIGIN` in a run path is of no use to what is loaded
    /// from memory.
    static func environment(for file: PluginFile) -> [String] {
        ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH=\(file.folder)"]
    }

    /// Loads a plugin in a process of its own, and answers what it says of itself.
    static func inspect(_ file: PluginFile, host: String) throws -> PluginInspection.Report {
        let loop = try EventLoop()
        let process = try PluginHostProcess(
            loop: loop, path: host, environment: environment(for: file), output: .descriptors(output: 2, error: 2))
        let inspection = PluginInspection(loop: loop, socket: process.socket, library: try file.sealed())
        var report: PluginInspection.Report?
        inspection.onEnd = { found in
            report = found
            process.kill()
        }
        process.onExit = { exit in
            inspection.hostEnded(exit)
            loop.stop()
        }
        try inspection.start()
        try loop.run()
        guard let report else { throw CommandError(code: .failed, message: "the plugin host said nothing") }
        return report
    }
}
