/// `[deployment]`.
enum DeploymentSchema {
    static let trustedRoot = Setting.optional(
        "trusted_root", .plainPath, default: "/etc/holdfast/trust/root.json",
        "The file that says whose signatures count (`holdfast bundle root`). Everybody may read it and its folder.",
        misnomers: ["root", "trust", "root_json"])
    static let hardware = Setting.optional(
        "hardware", .childName, otherwise: "not said",
        "What this device is, for bundles that are for certain hardware only.", misnomers: ["model", "board"])
    static let quota = Setting.optional(
        "quota", .size((1 << 20)...(1 << 50)), otherwise: "what the disk has",
        "How much of the disk all versions of all bundles may take together.",
        misnomers: ["size", "max_size", "limit"])
    static let minimumSpeed = Setting.optional(
        "minimum_speed", .size(1...(1 << 30)), default: 1024,
        "In bytes a second: a download that is slower for half a minute is broken off and tried again.",
        misnomers: ["min_speed", "speed", "low_speed_limit"])

    static let table = TableSchema(
        "deployment",
        settings: [trustedRoot.description, hardware.description, quota.description, minimumSpeed.description])
}
