import Supervision

extension Configuration {
    /// Reads and judges the texts of a configuration without asking the machine anything.
    ///
    /// - Parameters:
    ///   - sources: in the order in which they count.
    ///   - variables: the environment variables that override settings.
    ///   - hostName: the runtime's name where the configuration gives none.
    ///   - explains: whether the report says where every value comes from.
    package static func read(
        _ sources: [ConfigurationSource], variables: [ConfigurationVariable] = [], hostName: String,
        explains: Bool = false
    ) -> ConfigurationReport {
        let problems = ProblemCollector()
        let context = ReadingContext(problems: problems, recorder: explains ? EffectiveRecorder() : nil)
        let draft = ConfigurationDraft(
            sources.map { ParsedSource($0) }, variables: variables, hostName: hostName, context)
        return ConfigurationReport(
            configuration: problems.isEmpty ? draft.configuration : nil, problems: problems.problems,
            environmentProblems: [], files: sources.map(\.file), effective: context.recorder?.sections ?? [],
            own: sources)
    }
}

/// A configuration being read, with the places of what may still have to be reported.
struct ConfigurationDraft {
    /// Complete only when no problem was found.
    let configuration: Configuration?
    let workers: [WorkerDraft]
    let plugins: [PluginDraft]
    /// The place of `default_user`, and whether it was set.
    let defaultUserPlace: SourcePlace?
    let controlGroupPlace: SourcePlace?
    /// The program of `critical_command`, where there is one, and its place.
    let criticalCommand: (program: String, place: SourcePlace)?

    /// - Parameter isComplete: false when there are files besides the sources that cannot be read.
    init(
        _ sources: [ParsedSource], isComplete: Bool = true, variables: [ConfigurationVariable],
        hostName: String, _ context: ReadingContext
    ) {
        let problems = context.problems
        for source in sources {
            problems.willRead(.file(source.file))
            if let problem = source.problem { problems.add(problem) }
        }
        let document = ConfigurationDraft.document(sources, isComplete: isComplete, variables, context)

        let runtimeTable = document.subtable(RuntimeSchema.table)
        defaultUserPlace = runtimeTable.has("default_user") ? runtimeTable.place(of: "default_user") : nil
        controlGroupPlace = runtimeTable.has("control_group") ? runtimeTable.place(of: "control_group") : nil
        let runtime = RuntimeSettings(runtimeTable, hostName: hostName)
        let outputTable = document.subtable(OutputSchema.table)
        let output = OutputSettings(outputTable, stateDirectory: runtime.stateDirectory)
        let preservationTable = document.subtable(PreservationSchema.table)
        let preservation = PreservationSettings(preservationTable, context)
        criticalCommand = preservation.criticalCommand.first.map {
            ($0, preservationTable.place(of: PreservationSchema.criticalCommand.name))
        }

        let uplink = UplinkSection(document.subtable(UplinkSchema.table))
        plugins = PluginDraft.all(document, context)
        let deployment = DeploymentSection(document.subtable(DeploymentSchema.table))

        let defaultsTable = document.subtable(PolicySchema.defaultsTable)
        let defaults = WorkerDefaults(
            policy: defaultsTable, limits: defaultsTable.subtable(LimitSchema.defaultsTable),
            runtime: runtimeTable, output: outputTable, problems)
        let supervisors = document.pieces(of: SupervisorSchema.table).enumerated().map {
            SupervisorDraft($0.element, number: $0.offset + 1, context)
        }
        workers = document.pieces(of: WorkerSchema.table).enumerated().map {
            WorkerDraft(
                $0.element, number: $0.offset + 1, defaults: defaults, context)
        }
        let membership = BundleMembership(sources, supervisors, workers, problems)
        ConfigurationDraft.checkRoom(in: runtimeTable, runtime.runtimeDirectory, workers, problems)
        let children = TreeAssembly(
            files: sources.map(\.file), supervisors: supervisors, workers: workers, problems
        ).children()

        guard problems.isEmpty else {
            configuration = nil
            return
        }
        var launches: [String: WorkerLaunch] = [:]
        var outputs: [String: WorkerOutput] = [:]
        var telemetry: [String: WorkerTelemetry] = [:]
        var shedOrders: [String: Int] = [:]
        var probes: [String: [WorkerProbe]] = [:]
        for worker in workers {
            launches[worker.launch.name] = worker.launch
            outputs[worker.launch.name] = worker.output
            telemetry[worker.launch.name] = worker.telemetry
            shedOrders[worker.launch.name] = worker.shedOrder
            if !worker.probes.isEmpty { probes[worker.launch.name] = worker.probes.compactMap(\.probe) }
        }
        configuration = Configuration(
            runtime: runtime, output: output, preservation: preservation, uplink: uplink,
            plugins: plugins.compactMap(\.plugin), deployment: deployment, children: children, launches: launches,
            outputs: outputs, telemetry: telemetry, shedOrders: shedOrders, probes: probes,
            bundles: membership.bundles)
    }

    /// The files as one table, with what the environment sets in it.
    private static func document(
        _ sources: [ParsedSource], isComplete: Bool, _ variables: [ConfigurationVariable], _ context: ReadingContext
    ) -> TableReader {
        let pieces = sources.compactMap { source in
            source.table.map {
                SourcedTable.Piece(
                    origin: .file(source.file), table: $0, position: TextPosition(line: 1, column: 1))
            }
        }
        let files = TableReader(SourcedTable(path: "", pieces: pieces), ConfigurationSchema.document, context)
        return files.overridden(
            by: overrides(
                variables, of: files, knowsAllChildren: isComplete && pieces.count == sources.count, context.problems))
    }

    /// What `state_dir` will be, whatever else is wrong.
    static func stateDirectory(_ sources: [ParsedSource], _ variables: [ConfigurationVariable]) -> String {
        let context = ReadingContext(problems: ProblemCollector(), recorder: nil)
        return document(sources, isComplete: false, variables, context).subtable(RuntimeSchema.table)
            .value(RuntimeSchema.stateDirectory)
    }

    /// The path of a socket has little room (unix(7)), and each worker has one below `runtime_dir`.
    private static func checkRoom(
        in runtime: TableReader, _ directory: String, _ workers: [WorkerDraft], _ problems: ProblemCollector
    ) {
        let longestName = max(workers.map(\.launch.name.utf8.count).max() ?? 0, "holdfast-monitor".utf8.count)
        let most = 107 - "/telemetry/".utf8.count - longestName
        guard directory.utf8.count > most else { return }
        problems.add(
            runtime.place(of: "runtime_dir"), "runtime.runtime_dir",
            "is too long for the sockets of its workers: \(directory.utf8.count) bytes",
            allowed: "at most \(most) bytes, with workers of such names")
    }

    /// What environment variables set, by what the files call their workers and supervisors.
    private static func overrides(
        _ variables: [ConfigurationVariable], of files: TableReader, knowsAllChildren: Bool,
        _ problems: ProblemCollector
    ) -> OverrideTable {
        if variables.isEmpty { return OverrideTable() }
        let repeated = [SupervisorSchema.table, WorkerSchema.table, PluginSchema.table]
        var names = Dictionary(uniqueKeysWithValues: repeated.map { ($0.name, files.pieces(of: $0).map(\.childName)) })
        for worker in files.pieces(of: WorkerSchema.table) {
            // Of several with one name, which is reported elsewhere, the first is meant.
            guard let name = worker.childName,
                names["\(WorkerSchema.table.name).\(name).\(ProbeSchema.table.name)"] == nil
            else { continue }
            names["\(WorkerSchema.table.name).\(name).\(ProbeSchema.table.name)"] = worker.probeNames
        }
        var reader = OverrideReader(children: names, knowsAllChildren: knowsAllChildren, problems)
        reader.read(variables)
        return reader.overrides
    }
}
