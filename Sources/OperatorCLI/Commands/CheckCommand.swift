import ArgumentParser
import ControlProtocol
import DeviceConfiguration
import Supervision

struct CheckCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say everything that is wrong with a configuration.",
        discussion: """
            Reads the file, the conf.d/*.toml beside it, and what this device's bundles bring, and looks whether this machine has the programs, folders and \
            users that they name. It needs no runtime and changes nothing. Each problem is a line: file, line, column, \
            key, what is wrong, what is allowed.

            Environment variables HOLDFAST_CONFIG__<SECTION>__<KEY> override settings, here as in the runtime, which \
            has an environment of its own.

            EXAMPLES
              holdfast check
              holdfast check new.toml
              holdfast check --effective | grep -v default$
              HOLDFAST_CONFIG__RUNTIME__NAME=test holdfast check --effective
            """)

    @Argument(
        help: ArgumentHelp("The main files. (default: \(Configuration.defaultPath))", valueName: "file"),
        completion: .file(extensions: ["toml"]))
    var files: [String] = []

    @Flag(name: .long, help: "Print every setting as it holds, and the file, variable or default that it comes from.")
    var effective = false

    @Flag(
        name: .long,
        help: "Judge it for another machine: leave out this one's bundles and what it lacks (programs, folders, users)."
    )
    var elsewhere = false

    @OptionGroup var output: OutputOptions

    private enum Key: String { case valid, supervisors, workers, files, settings }

    func perform(on console: Console) throws {
        let report = Configuration.load(
            paths: files.isEmpty ? [Configuration.defaultPath] : files,
            variables: console.surroundings.configurationVariables, explains: effective,
            bundles: elsewhere ? .ignored : .judged)
        let problems = report.problems + (elsewhere ? [] : report.environmentProblems)
        // What this machine lacks is no reason to keep the values back.
        if effective, !output.json, report.configuration != nil {
            try console.print(EffectiveView(sections: report.effective).lines(console.palette))
            try console.print("")
        }
        guard problems.isEmpty, let configuration = report.configuration else {
            let count = problems.count == 1 ? "1 problem" : "\(problems.count) problems"
            throw CommandError(
                code: .configurationInvalid, message: "the configuration has \(count)",
                details: problems.map(\.description.escapedForTerminal))
        }
        let (supervisors, workers) = Self.count(configuration.children)
        if output.json {
            var summary: JSONObject = [
                Key.valid.rawValue: true, Key.supervisors.rawValue: supervisors.json,
                Key.workers.rawValue: workers.json, Key.files.rawValue: report.files.json,
            ]
            if effective { summary[Key.settings.rawValue] = EffectiveView(sections: report.effective).json }
            return try console.print(.object(summary))
        }
        let counts = [
            supervisors == 1 ? "1 supervisor" : "\(supervisors) supervisors",
            workers == 1 ? "1 worker" : "\(workers) workers",
        ]
        try console.print("\(counts.joined(separator: ", ")): configuration is valid")
    }

    /// Supervisors and workers of the user's part of the tree.
    private static func count(_ children: [ChildSpecification]) -> (supervisors: Int, workers: Int) {
        children.reduce(into: (0, 0)) { counts, child in
            switch child {
            case .worker: counts.1 += 1
            case .supervisor(let supervisor):
                let below = count(supervisor.children)
                counts.0 += 1 + below.supervisors
                counts.1 += below.workers
            }
        }
    }
}
