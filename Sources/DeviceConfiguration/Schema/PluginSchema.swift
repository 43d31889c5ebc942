/// `[[plugin]]`.
enum PluginSchema {
    static let mostPlugins = 64

    static let name = Setting.required(
        "name", .childName, "Unique among the plugins; its private folder has this name too.", misnomers: ["id"])
    static let file = Setting.required(
        "file", .plainPath,
        "The library. It and its folder have to belong to root, or whoever runs the runtime, and nobody else may write there.",
        misnomers: ["path", "library", "so"])
    static let sha256 = Setting.required(
        "sha256", .sha256, "What `sha256sum` says of the file. Another file is not loaded.",
        misnomers: ["digest", "hash", "checksum", "sha"])
    static let kinds = Setting.optional(
        "kinds", .commandKinds, otherwise: "all that it says it carries out",
        "Which kinds of commands it may carry out.", misnomers: ["kind", "commands", "types"])
    static let grants = Setting.optional(
        "grants", .grants, default: [],
        "What it may do besides ([executor.md](executor.md)).", misnomers: ["grant", "permissions", "rights", "allow"])
    static let memoryMax = Setting.optional(
        "memory_max", .size((16 << 20)...(1 << 40)), default: 256 << 20,
        "Memory of a command. By cgroup where the runtime has one, else as `data_size`.",
        misnomers: ["memory_limit", "mem", "memory", "memorymax"])
    static let timeLimit = Setting.optional(
        "time_limit", .duration(.milliseconds(100)...(.seconds(86_400))), default: .seconds(600),
        "How long a command may take. A command may bring a shorter limit.", misnomers: ["timeout", "deadline"])
    static let parallel = Setting.optional(
        "parallel", .integer(1...8), default: 1,
        "How many of its commands may run at once, where it says of their kinds that they may.",
        misnomers: ["concurrency", "max_parallel", "instances"])

    static let table = TableSchema(
        "plugin", occurrence: .repeated,
        settings: [
            name.description, file.description, sha256.description, kinds.description, grants.description,
            memoryMax.description, timeLimit.description, parallel.description,
        ])
}

extension SettingType<String> {
    /// A SHA-256, in lower case.
    static let sha256 = SettingType(allowed: "64 hexadecimal digits", write: { .string($0) }) {
        value throws(TextMistake) in
        let text = try value.text()
        guard text.utf8.count == 64, text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
            throw TextMistake(reason: "\(text.quoted) is no SHA-256")
        }
        return text.lowercased()
    }
}

extension SettingType<[String]> {
    private static let mostKinds = 64

    /// Kinds of commands, each once.
    static let commandKinds: SettingType = SettingType(
        allowed: "an array of 1 to \(mostKinds) names of \(ChildName.allowed)", form: .list, write: { .strings($0) },
        read: { node, site, problems in
            guard case .array(let elements) = node.value, (1...mostKinds).contains(elements.count) else {
                let found =
                    if case .array(let elements) = node.value { "has \(elements.count) kinds" } else {
                        "found \(node.value.inWords)"
                    }
                problems.add(site.place(node), site.key, found, allowed: commandKinds.allowed)
                return nil
            }
            let type = SettingType<String>.childName
            let kinds = elements.enumerated().map { type.read($0.element, site.element($0.offset), problems) }
            return kinds.contains(nil) ? nil : kinds.compactMap(\.self)
        })
}

extension SettingType<[PluginGrant]> {
    /// What a plugin may do.
    static let grants: SettingType = SettingType(
        allowed: "an array of " + PluginGrant.allCases.map(\.rawValue).alternatives, form: .list,
        write: { .strings($0.map(\.rawValue)) },
        read: { node, site, problems in
            guard case .array(let elements) = node.value else {
                problems.add(site.place(node), site.key, "found \(node.value.inWords)", allowed: grants.allowed)
                return nil
            }
            let type = SettingType<PluginGrant>.choice()
            let grants = elements.enumerated().map { type.read($0.element, site.element($0.offset), problems) }
            return grants.contains(nil) ? nil : grants.compactMap(\.self)
        })
}
