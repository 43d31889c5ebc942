/// `[output]`, and what of it `[worker.output]` may set for one worker.
enum OutputSchema {
    static let journal = Setting.optional(
        "journal", .choice(JournalUse.self), default: .auto,
        "Whether output goes to the journal of systemd: `auto` uses it when it is there, and files otherwise.")
    static let directory = Setting.optional(
        "directory", .absolutePath, otherwise: "`log` in `state_dir`",
        "Where the files are, one folder for all and for nothing else: it is given to the user `holdfast-output`.")
    static let pipeSize = Setting.optional(
        "pipe_size", .size(4096...1_048_576), default: 65_536,
        "How much output of a worker the kernel holds while nobody reads it.", misnomers: ["pipe"])

    static let rate = Setting.optional(
        "rate", .size(1024...1_073_741_824), default: 65_536,
        "How many bytes a second of a worker are kept in the long run; what is beyond is counted and dropped.",
        misnomers: ["rate_limit"])
    static let burst = Setting.optional(
        "burst", .size(4096...1_073_741_824), default: 1_048_576,
        "How many bytes may come at once before `rate` holds.")
    static let maxFile = Setting.optional(
        "max_file", .size(65_536...1_099_511_627_776), default: 10_485_760,
        "How large a worker's file grows before the next is begun.", misnomers: ["max_size", "max_file_size"])
    static let files = Setting.optional(
        "files", .integer(1...100), default: 2,
        "How many files of a worker are kept, the one being written included; so a worker takes at most "
            + "`max_file` times `files` of disk.",
        misnomers: ["max_files", "keep"])

    static let perWorker: [SettingDescription] = [
        rate.description, burst.description, maxFile.description, files.description,
    ]

    static let table = TableSchema(
        "output", settings: [journal.description, directory.description, pipeSize.description] + perWorker)

    /// The same keys in a worker, where the default is what `[output]` says.
    static let workerTable = TableSchema(
        "worker.output",
        settings: perWorker.map { setting in
            var setting = setting
            setting.absent = "as in `[output]`"
            return setting
        })
}
