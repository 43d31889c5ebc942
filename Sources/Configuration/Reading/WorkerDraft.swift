import Supervision

/// A `[[worker]]` being read: its specification and launch, and the places to report.
struct WorkerDraft {
    /// `nil` when it has no usable name.
    let name: String?
    let specification: WorkerSpecification
    let launch: WorkerLaunch
    let output: WorkerOutput
    /// The name of its supervisor.
    let supervisor: String
    /// What messages call it: "worker.camera".
    let path: String
    /// Of its table.
    let place: SourcePlace
    let namePlace: SourcePlace
    let supervisorPlace: SourcePlace
    let table: TableReader

    init(_ piece: SourcedTable.Piece, number: Int, defaults: WorkerDefaults, _ problems: ProblemCollector) {
        path = piece.path(named: WorkerSchema.table, number: number)
        table = TableReader(SourcedTable(path: path, pieces: [piece]), WorkerSchema.table, problems)
        place = SourcePlace(file: piece.file, position: piece.position)
        namePlace = table.place(of: "name")
        supervisorPlace = table.place(of: "supervisor")
        name = table.required(WorkerSchema.name)
        supervisor = table.value(WorkerSchema.supervisor)
        output = WorkerOutput(table.subtable(OutputSchema.workerTable), otherwise: defaults.output)

        var specification = WorkerSpecification(
            name: name ?? "", table, defaults: defaults.policy, problems)
        specification.isEssential = table.value(WorkerSchema.essential)
        specification.startsAutomatically = table.value(WorkerSchema.autostart)
        launch = WorkerLaunch(
            table, name: name ?? "", watchdog: specification.watchdog, defaults: defaults)
        specification.launch = launch.fingerprint
        self.specification = specification
    }
}

extension WorkerLaunch {
    fileprivate init(_ table: TableReader, name: String, watchdog: Duration?, defaults: WorkerDefaults) {
        let limits = defaults.limits.merging(LimitSchema.read(table.subtable(LimitSchema.workerTable))) {
            $1
        }
        self.init(
            name: name,
            command: table.required(WorkerSchema.command) ?? [],
            workingDirectory: table.value(WorkerSchema.workingDirectory),
            environment: table.value(WorkerSchema.environment),
            user: table.value(WorkerSchema.user) ?? defaults.user,
            group: table.value(WorkerSchema.group),
            supplementaryGroups: table.value(WorkerSchema.supplementaryGroups),
            umask: table.value(WorkerSchema.umask),
            nice: table.value(WorkerSchema.nice),
            oomScoreAdjustment: table.value(WorkerSchema.oomScoreAdjustment),
            limits: limits.map { ResourceLimit(resource: $0.key, value: $0.value) }
                .sorted { $0.resource.rawValue < $1.resource.rawValue },
            watchdog: watchdog,
            identity: nil)
    }
}
