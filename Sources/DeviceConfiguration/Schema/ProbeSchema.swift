/// `[[worker.probe]]`.
enum ProbeSchema {
    enum Kind: String, CaseIterable, Sendable {
        case exec
        case tcp
        case http
    }

    private static let day = Duration.seconds(86_400)
    static let mostProbes = 16

    static let type = Setting.required(
        "type", .choice(Kind.self),
        "What is done: a program is run, a connection made, or a page asked for.", misnomers: ["kind"])
    static let name = Setting.optional(
        "name", .childName, otherwise: "its `type`", "What incidents call it; unique among the worker's probes.")
    static let command = Setting.optional(
        "command", .command, otherwise: "required for exec",
        "exec: a program and its arguments, never a shell, run as the worker is: its user, folder, variables, limits and "
            + "sandbox, but in a session and cgroup of its own. The worker is well when it ends with status 0.",
        misnomers: ["exec", "cmd", "args", "run", "script"])
    static let port = Setting.optional(
        "port", .integer(1...65_535), otherwise: "required for tcp and http", "tcp and http: where the worker listens.")
    static let address = Setting.optional(
        "address", .loopbackAddress, default: "127.0.0.1", "tcp and http: on which address of this machine.",
        misnomers: ["host", "ip"])
    static let path = Setting.optional(
        "path", .urlPath, default: "/", "http: what is asked for, by GET.", misnomers: ["url", "uri", "endpoint"])
    static let status = Setting.optional(
        "status", .httpStatuses, default: 200...299, "http: which answers are well.",
        misnomers: ["statuses", "code", "status_code", "expect"])
    static let body = Setting.optional(
        "body", .text("a text of at most 1024 bytes", limit: 1024), otherwise: "anything",
        "http: what must be somewhere in the first 64 KiB of the answer's body.", misnomers: ["contains", "match"])
    static let interval = Setting.optional(
        "interval", .duration(.milliseconds(100)...day), default: .seconds(10),
        "From the end of one probe to the next.", misnomers: ["period", "every", "period_seconds"])
    static let timeout = Setting.optional(
        "timeout", .duration(.milliseconds(10)...day), default: .seconds(2),
        "How long it may take. A program that takes longer is killed with all that it has started.",
        misnomers: ["timeout_seconds"])
    static let failures = Setting.optional(
        "failures", .integer(1...1000), default: 3, "How many failures in a row make the worker unhealthy.",
        misnomers: ["retries", "failure_threshold", "threshold"])
    static let startGrace = Setting.optional(
        "start_grace", .duration(.zero...day), default: .seconds(10),
        "For how long after a start and after a pause no failure counts, unless the probe has succeeded since.",
        misnomers: ["start_period", "initial_delay", "grace"])

    static let table = TableSchema(
        "worker.probe", occurrence: .repeated,
        settings: [
            type.description, name.description, command.description, port.description, address.description,
            path.description, status.description, body.description, interval.description, timeout.description,
            failures.description, startGrace.description,
        ])

    /// The keys that mean nothing to a probe of that kind.
    static func meaningless(for kind: Kind) -> [String] {
        let ofHTTP = [path.setting.name, status.setting.name, body.name]
        let ofNetwork = [port.name, address.setting.name]
        return switch kind {
        case .exec: ofNetwork + ofHTTP
        case .tcp: [command.name] + ofHTTP
        case .http: [command.name]
        }
    }
}
