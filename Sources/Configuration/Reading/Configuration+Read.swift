import Supervision

extension Configuration {
    /// Reads and judges the texts of a configuration without asking the machine anything.
    ///
    /// - Parameters:
    ///   - sources: in the order in which they count.
    ///   - hostName: the runtime's name where the configuration gives none.
    package static func read(_ sources: [ConfigurationSource], hostName: String) -> ConfigurationReport {
        let problems = ProblemCollector()
        let draft = ConfigurationDraft(sources, hostName: hostName, problems)
        return ConfigurationReport(
            configuration: problems.isEmpty ? draft.configuration : nil, problems: problems.problems,
            environmentProblems: [], files: sources.map(\.file))
    }
}

/// A configuration being read, with the places of what may still have to be reported.
struct ConfigurationDraft {
    /// Complete only when no problem was found.
    let configuration: Configuration?
    let workers: [WorkerDraft]
    /// The place of `default_user`, and whether it was set.
    let defaultUserPlace: SourcePlace?
    let controlGroupPlace: SourcePlace?

    init(_ sources: [ConfigurationSource], hostName: String, _ problems: ProblemCollector) {
        var pieces: [SourcedTable.Piece] = []
        for source in sources {
            problems.willRead(source.file)
            guard let table = ConfigurationDraft.parse(source, problems) else { continue }
            pieces.append(
                SourcedTable.Piece(file: source.file, table: table, position: TextPosition(line: 1, column: 1)))
        }
        let document = TableReader(
            SourcedTable(path: "", pieces: pieces), ConfigurationSchema.document, problems)

        let runtimeTable = document.subtable(RuntimeSchema.table)
        defaultUserPlace = runtimeTable.has("default_user") ? runtimeTable.place(of: "default_user") : nil
        controlGroupPlace = runtimeTable.has("control_group") ? runtimeTable.place(of: "control_group") : nil
        let runtime = RuntimeSettings(runtimeTable, hostName: hostName)
        let output = OutputSettings(
            document.subtable(OutputSchema.table), stateDirectory: runtime.stateDirectory)

        let defaultsTable = document.subtable(PolicySchema.defaultsTable)
        let defaults = WorkerDefaults(
            policy: defaultsTable, limits: defaultsTable.subtable(LimitSchema.defaultsTable),
            user: runtime.defaultUser, output: output.perWorker, problems)
        let supervisors = document.pieces(of: SupervisorSchema.table).enumerated().map {
            SupervisorDraft($0.element, number: $0.offset + 1, problems)
        }
        workers = document.pieces(of: WorkerSchema.table).enumerated().map {
            WorkerDraft(
                $0.element, number: $0.offset + 1, defaults: defaults, problems)
        }
        let children = TreeAssembly(
            files: sources.map(\.file), supervisors: supervisors, workers: workers, problems
        ).children()

        guard problems.isEmpty else {
            configuration = nil
            return
        }
        var launches: [String: WorkerLaunch] = [:]
        var outputs: [String: WorkerOutput] = [:]
        for worker in workers {
            launches[worker.launch.name] = worker.launch
            outputs[worker.launch.name] = worker.output
        }
        configuration = Configuration(
            runtime: runtime, output: output, children: children, launches: launches, outputs: outputs)
    }

    /// The document's table, or `nil` after the problem has been added.
    private static func parse(_ source: ConfigurationSource, _ problems: ProblemCollector) -> TOMLTable? {
        if let position = UTF8Check.firstMistake(in: source.bytes) {
            problems.add(
                ConfigurationProblem(
                    kind: .file, file: source.file, position: position, message: "is not UTF-8 text",
                    allowed: "TOML in UTF-8"))
            return nil
        }
        do throws(TOMLFailure) {
            return try TOMLParser.parse(source.bytes)
        } catch {
            problems.add(
                ConfigurationProblem(
                    kind: .syntax, file: source.file, position: error.position,
                    message: "is not valid TOML: \(error.reason)"))
            return nil
        }
    }
}
