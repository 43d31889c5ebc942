import Supervision

/// How workers are kept alive: the keys that `[worker_defaults]` sets for all workers and `[[worker]]` for one.
enum PolicySchema {
    private static let standard = WorkerSpecification(name: "")
    private static let day = Duration.seconds(86_400)

    static let restart = Setting.optional(
        "restart", .choice(RestartPolicy.self), default: standard.restart,
        "When a worker that ended by itself is started again.", misnomers: ["restart_policy"])
    static let ready = Setting.optional(
        "ready", .choice(Readiness.self), default: standard.readiness,
        "When a worker counts as ready: as soon as its program runs, or when it sends `READY=1` to `NOTIFY_SOCKET`.",
        misnomers: ["readiness", "type"])
    static let startAfter = Setting.optional(
        "start_after", .choice(StartGate.self), default: standard.startGate,
        "What its predecessor in the same supervisor must have reached before a worker is started in sequence.",
        misnomers: ["start", "start_gate", "after"])
    static let startTimeout = Setting.optional(
        "start_timeout", .duration(.milliseconds(10)...day), default: standard.startTimeout,
        "How long a worker may take until it is ready.")
    static let watchdog = Setting.optional(
        "watchdog", .duration(.milliseconds(10)...day, or: "off"), default: standard.watchdog,
        "The longest silence between two `WATCHDOG=1` before a worker counts as hung. Told to the worker as "
            + "`WATCHDOG_USEC`, so a change restarts it.",
        misnomers: ["watchdog_sec", "watchdog_timeout"])
    static let watchdogSignal = Setting.optional(
        "watchdog_signal", .signal(SignalName.ending), default: standard.watchdogSignal,
        "What a hung or late worker is sent. A kill recovers fastest; after any other signal (`SIGABRT`, for a core file) the "
            + "worker has the grace of its first stop step before it is killed.")
    static let backoffInitial = Setting.optional(
        "backoff_initial", .duration(.milliseconds(1)...day), default: standard.backoff.initial,
        "The wait before the second restart; the first comes at once, each further wait is twice as long.",
        misnomers: ["restart_sec", "restart_delay"])
    static let backoffMaximum = Setting.optional(
        "backoff_max", .duration(.milliseconds(1)...day), default: standard.backoff.maximum, "The longest wait.")
    static let backoffJitter = Setting.optional(
        "backoff_jitter", .share, default: standard.backoff.jitter,
        "The share of each wait that is random: a wait w becomes w * (1 - jitter) to w.")
    static let stableAfter = Setting.optional(
        "stable_after", .duration(.milliseconds(10)...day), default: standard.backoff.stableAfter,
        "How long a worker must run well for its failures to be forgotten.")
    static let maxAttempts = Setting.optional(
        "max_attempts", .integer(1...1_000_000, or: "unlimited"), default: standard.attempts.maximum,
        "How many restarts in a row, without a stable run between, a worker gets before it is given up.",
        misnomers: ["start_limit_burst", "max_restarts", "startretries"])
    static let retryAfterGivingUp = Setting.optional(
        "retry_after_giving_up", .duration(.seconds(1)...(.seconds(86_400 * 7)), or: "never"),
        default: standard.attempts.retryAfterGivingUp,
        "How long after giving up a single try comes.")
    static let stopSignal = Setting.optional(
        "stop_signal", .signal(SignalName.asking), default: .terminate,
        "What asks a worker to stop.", misnomers: ["kill_signal", "stopsignal"])
    static let stopTimeout = Setting.optional(
        "stop_timeout", .duration(.zero...(.seconds(3600))), default: .seconds(10),
        "How long it may take to stop before its group is killed.", misnomers: ["stopwaitsecs", "timeout_stop_sec"])
    static let stopPlan = Setting.optional(
        "stop_plan", .stopPlan, otherwise: "`stop_signal` and `stop_timeout`",
        "Several signals, each with its time; the group is killed after the last. `[]` kills at once. Has no place "
            + "beside `stop_signal` and `stop_timeout`.")
    static let killTimeout = Setting.optional(
        "kill_timeout", .duration(.milliseconds(100)...(.seconds(600))), default: standard.stopPlan.killGrace,
        "How long a killed group may take to disappear before it is reported and left to the kernel.")

    static let settings: [SettingDescription] = [
        restart.description, ready.description, startAfter.description, startTimeout.description,
        watchdog.description, watchdogSignal.description, backoffInitial.description, backoffMaximum.description,
        backoffJitter.description, stableAfter.description, maxAttempts.description,
        retryAfterGivingUp.description, stopSignal.description, stopTimeout.description, stopPlan.description,
        killTimeout.description,
    ]

    /// `[worker_defaults]`.
    static let defaultsTable = TableSchema(
        "worker_defaults", settings: settings, subtables: [LimitSchema.defaultsTable])
}

/// A step of `stop_plan`.
enum StopStepSchema {
    static let signal = Setting.required("signal", .signal(SignalName.asking), "What the group is sent.")
    static let grace = Setting.required(
        "grace", .duration(.zero...(.seconds(3600))), "How long it then has.", misnomers: ["timeout", "wait"])

    static let table = TableSchema("stop_plan", settings: [signal.description, grace.description])
}
