/// `[runtime]`.
enum RuntimeSchema {
    static let name = Setting.optional(
        "name", .childName, otherwise: "the host name",
        "What this runtime is called in events and reports.")
    static let stateDirectory = Setting.optional(
        "state_dir", .absolutePath, default: "/var/lib/holdfast", "What must survive a reboot.",
        misnomers: ["state_directory", "data_dir"])
    static let runtimeDirectory = Setting.optional(
        "runtime_dir", .absolutePath, default: "/run/holdfast", "Sockets and FIFOs; emptied by a reboot.",
        misnomers: ["runtime_directory", "run_dir"])
    static let workersCgroup = Setting.optional(
        "workers_cgroup", .workersCgroup, default: .automatic,
        "Where workers get their control groups: below a delegated cgroup2 directory. `auto` uses the one that "
            + "`HOLDFAST_WORKERS_CGROUP` names (the systemd unit sets it), else the one delegated to the runtime; without, "
            + "groups are processes of one session.")
    static let defaultUser = Setting.optional(
        "default_user", .account("user"), default: "nobody",
        "Who runs the workers that name no `user`. Without root, everything runs as the one who started the runtime.")
    static let controlGroup = Setting.optional(
        "control_group", .account("group"), default: "holdfast",
        "Whose members may read the state over the control socket. Changing it takes root.")
    static let eventBuffer = Setting.optional(
        "event_buffer", .integer(16...65_536), default: 1024, "How many of the last events are kept.")
    static let incidentBuffer = Setting.optional(
        "incident_buffer", .integer(16...4096), default: 128, "How many of the last incidents are kept.")

    static let table = TableSchema(
        "runtime",
        settings: [
            name.description, stateDirectory.description, runtimeDirectory.description, workersCgroup.description,
            defaultUser.description, controlGroup.description, eventBuffer.description, incidentBuffer.description,
        ])
}

extension SettingType<WorkersCgroup> {
    static let workersCgroup = SettingType(
        allowed: "\"auto\", \"off\" or an absolute path",
        write: {
            switch $0 {
            case .automatic: .string("auto")
            case .off: .string("off")
            case .directory(let path): .string(path)
            }
        }
    ) { value throws(TextMistake) in
        let text = try value.text()
        switch text {
        case "auto": return .automatic
        case "off": return .off
        case _ where text.hasPrefix("/") && text.utf8.count < 4096: return .directory(text)
        default: throw TextMistake(reason: text.notOne(of: ["auto", "off"]))
        }
    }
}
