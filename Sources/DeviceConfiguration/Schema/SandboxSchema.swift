/// `[worker.sandbox]`.
enum SandboxSchema {
    static let noNewPrivileges = Setting.optional(
        "no_new_privs", .boolean, default: false,
        "Whether no program that it executes gives it more rights: `sudo` and other setuid programs do not work.",
        misnomers: ["no_new_privileges", "nonewprivileges", "noprivs"])
    static let readOnlyPaths = Setting.optional(
        "read_only_paths", .paths, default: [],
        "Files and directories that it can only read, with everything below them; \"/\" is everything.",
        misnomers: ["readonlypaths", "readonly_paths", "read_only", "readonly", "ro_paths", "protect_system"])
    static let writablePaths = Setting.optional(
        "writable_paths", .paths, default: [],
        "What stays writable below `read_only_paths`, as far as it is outside.",
        misnomers: ["readwritepaths", "read_write_paths", "write_paths", "rw_paths"])
    static let hiddenPaths = Setting.optional(
        "hidden_paths", .paths, default: [],
        "Directories that are empty for it, and files that read as empty.",
        misnomers: ["inaccessiblepaths", "inaccessible_paths", "hide_paths", "hide", "hidden", "protect_home"])
    static let privateTemporaryFolders = Setting.optional(
        "private_tmp", .boolean, default: false,
        "Whether it has a /tmp and a /var/tmp of its own: in memory, each a tenth of it at most, and gone with the process.",
        misnomers: ["privatetmp", "private_tmp_dir", "tmp"])
    static let network = Setting.optional(
        "network", .boolean, default: true,
        "Whether it reaches the network; without, there is only a loopback of its own.",
        misnomers: ["private_network", "privatenetwork", "net"])

    static let table = TableSchema(
        "worker.sandbox",
        settings: [
            noNewPrivileges.description, readOnlyPaths.description, writablePaths.description, hiddenPaths.description,
            privateTemporaryFolders.description, network.description,
        ])
}
