import Supervision

/// `[[worker]]`.
enum WorkerSchema {
    static let name = Setting.required(
        "name", .childName,
        "Unique among all supervisors and workers; `root`, `system` and what begins with `holdfast-` are taken.")
    static let supervisor = Setting.optional(
        "supervisor", .childName, default: SupervisorSpecification.rootName, "The supervisor that it is a child of.",
        misnomers: ["parent", "group_name"])
    static let command = Setting.required(
        "command", .command,
        "The program and its arguments; never a shell. A program without a slash is searched in the worker's `PATH`.",
        misnomers: ["exec", "exec_start", "cmd", "args", "run"])
    static let workingDirectory = Setting.optional(
        "working_directory", .absolutePath, default: "/", "Where it is started.",
        misnomers: ["cwd", "dir", "directory", "workdir"])
    static let environment = Setting.optional(
        "environment", .environment, default: [:],
        "Its variables, besides `PATH` and those of the worker contract. Nothing is inherited from the runtime.",
        misnomers: ["env"])
    static let user = Setting.optional(
        "user", .account("user"), otherwise: "`default_user`", "Who it runs as.", misnomers: ["uid"])
    static let group = Setting.optional(
        "group", .account("group"), otherwise: "the user's own", "Its group.", misnomers: ["gid"])
    static let supplementaryGroups = Setting.optional(
        "supplementary_groups", .groups, default: [], "Groups besides those that the user is a member of.",
        misnomers: ["groups"])
    static let umask = Setting.optional(
        "umask", .fileModeMask, default: 0o022, "Which permissions its new files lack.")
    static let nice = Setting.optional(
        "nice", .integer(-20...19), default: 0, "Its scheduling priority; 19 yields most.",
        misnomers: ["priority", "niceness"])
    static let oomScoreAdjustment = Setting.optional(
        "oom_score_adj", .integer(-1000...1000), default: 0,
        "How readily the kernel kills it when memory runs out; 1000 first, -1000 never.",
        misnomers: ["oom_score_adjust", "oom_score"])
    static let essential = Setting.optional(
        "essential", .boolean, default: false, "Whether it is never shed by the device: only an operator may pause it.")
    static let shedOrder = Setting.optional(
        "shed_order", .integer(-1_000_000...1_000_000), default: 0,
        "When the device has to shed work, workers with a lower number are paused earlier, and come back later.",
        misnomers: ["shed_priority", "shed"])
    static let autostart = Setting.optional(
        "autostart", .boolean, default: true, "Whether it starts by itself; otherwise it waits for an operator.",
        misnomers: ["enabled", "auto_start"])

    static let checkpoints = Setting.optional(
        "checkpoints", .checkpoints, default: [:],
        "Points of its work that it comes past again and again, and says so by `HOLDFAST_CHECKPOINT=NAME`: the longest time "
            + "between two. It is told none of them, so a change leaves the process running.",
        misnomers: ["checkpoint", "deadlines"])

    static let telemetry = Setting.optional(
        "telemetry", .choice(WorkerTelemetry.Source.self), default: .socket,
        "How it reports readings and events ([telemetry.md](telemetry.md)): `socket` to `HOLDFAST_TELEMETRY_SOCKET`; `stdout` "
            + "also as lines of its output that are JSON objects, which then are not in the log; `off` not at all.")
    static let telemetryRate = Setting.optional(
        "telemetry_rate", .integer(1...1_000_000), default: 1000,
        "How many readings and events a second are taken of it in the long run; what is beyond is counted and dropped.",
        misnomers: ["telemetry_limit", "max_readings"])

    static let table = TableSchema(
        "worker", occurrence: .repeated,
        settings: [
            name.description, supervisor.description, command.description, workingDirectory.description,
            environment.description, user.description, group.description, supplementaryGroups.description,
            umask.description, nice.description, oomScoreAdjustment.description, essential.description,
            shedOrder.description, autostart.description, checkpoints.description, telemetry.description,
            telemetryRate.description,
        ]
            + PolicySchema.settings.map { setting in
                var setting = setting
                setting.absent = "as in `[worker_defaults]`"
                return setting
            },
        subtables: [LimitSchema.workerTable, ProbeSchema.table, SandboxSchema.table, OutputSchema.workerTable])
}

/// The whole file.
enum ConfigurationSchema {
    static let document = TableSchema(
        "",
        subtables: [
            RuntimeSchema.table, OutputSchema.table, PreservationSchema.table, UplinkSchema.table,
            PluginSchema.table, DeploymentSchema.table, PolicySchema.defaultsTable,
            SupervisorSchema.table, WorkerSchema.table,
        ])

    /// Every table of the reference, in its order.
    static let tables: [TableSchema] =
        document.subtables.flatMap(\.withSubtables) + [StopStepSchema.table]
}
