import Supervision

/// A `[[worker]]` being read: its specification and launch, and the places to report.
struct WorkerDraft {
    /// `nil` when it has no usable name.
    let name: String?
    let specification: WorkerSpecification
    let launch: WorkerLaunch
    let output: WorkerOutput
    let telemetry: WorkerTelemetry
    let shedOrder: Int
    let probes: [ProbeDraft]
    /// The name of its supervisor.
    let supervisor: String
    /// What messages call it: "worker.camera".
    let path: String
    /// Of its table.
    let place: SourcePlace
    let namePlace: SourcePlace
    let supervisorPlace: SourcePlace
    let table: TableReader
    let limitTable: TableReader

    init(_ piece: SourcedTable.Piece, number: Int, defaults: WorkerDefaults, _ context: ReadingContext) {
        path = piece.path(named: WorkerSchema.table, number: number)
        table = TableReader(SourcedTable(path: path, piece), WorkerSchema.table, context)
        place = piece.place
        namePlace = table.place(of: "name")
        supervisorPlace = table.place(of: "supervisor")
        name = table.required(WorkerSchema.name)
        supervisor = table.value(WorkerSchema.supervisor)

        var specification = WorkerSpecification(
            name: name ?? "", table, defaults: defaults.policy, context.problems)
        specification.isEssential = table.value(WorkerSchema.essential)
        specification.startsAutomatically = table.value(WorkerSchema.autostart)
        specification.checkpoints = table.merged(WorkerSchema.checkpoints) { .duration($0) }
        telemetry = WorkerTelemetry(
            source: table.value(WorkerSchema.telemetry), rate: table.value(WorkerSchema.telemetryRate))
        let sandboxTable = table.subtable(SandboxSchema.table)
        let limits = table.subtable(LimitSchema.workerTable)
        limitTable = limits
        launch = WorkerLaunch(
            table, name: name ?? "", sandbox: sandboxTable, limits: limits, watchdog: specification.watchdog,
            reportsTelemetry: telemetry.source != .off, defaults: defaults)
        SandboxCheck(sandbox: launch.sandbox, table: sandboxTable, path: path, problems: context.problems)
            .run(launch: launch, runtimeDirectory: defaults.runtimeDirectory)
        specification.launch = launch.fingerprint
        self.specification = specification
        shedOrder = table.value(WorkerSchema.shedOrder)
        probes = ProbeDraft.all(table, of: path, context)
        output = WorkerOutput(table.subtable(OutputSchema.workerTable), inheriting: defaults.output)
    }
}

extension WorkerLaunch {
    fileprivate init(
        _ table: TableReader, name: String, sandbox: TableReader, limits: TableReader, watchdog: Duration?,
        reportsTelemetry: Bool, defaults: WorkerDefaults
    ) {
        self.init(
            name: name,
            command: table.required(WorkerSchema.command) ?? [],
            workingDirectory: table.value(WorkerSchema.workingDirectory),
            environment: table.merged(WorkerSchema.environment) { .string($0) },
            user: table.value(WorkerSchema.user, otherwise: defaults.user),
            group: table.optional(WorkerSchema.group),
            supplementaryGroups: table.value(WorkerSchema.supplementaryGroups),
            umask: table.value(WorkerSchema.umask),
            nice: table.value(WorkerSchema.nice),
            oomScoreAdjustment: table.value(WorkerSchema.oomScoreAdjustment),
            limits: LimitSchema.read(limits, inheriting: defaults.limits),
            groupLimits: GroupLimits(limits, inheriting: defaults.limits),
            sandbox: WorkerSandbox(sandbox),
            watchdog: watchdog,
            reportsTelemetry: reportsTelemetry,
            identity: nil)
    }
}
