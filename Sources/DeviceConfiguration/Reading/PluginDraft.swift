/// A `[[plugin]]` being read.
struct PluginDraft {
    /// `nil` when something is missing that it cannot do without.
    let plugin: PluginSettings?
    let name: String?
    let namePlace: SourcePlace
    let filePlace: SourcePlace
    let kindsPlace: SourcePlace
    /// What messages call it: "plugin.deploy".
    let path: String

    init(_ piece: SourcedTable.Piece, number: Int, _ context: ReadingContext) {
        path = piece.path(named: PluginSchema.table, number: number)
        let table = TableReader(SourcedTable(path: path, piece), PluginSchema.table, context)
        namePlace = table.place(of: "name")
        filePlace = table.place(of: "file")
        kindsPlace = table.place(of: "kinds")
        name = table.required(PluginSchema.name)
        let file = table.required(PluginSchema.file)
        let sha256 = table.required(PluginSchema.sha256)
        let kinds = table.optional(PluginSchema.kinds)
        let grants = Set(table.value(PluginSchema.grants))
        let memoryMax = table.value(PluginSchema.memoryMax)
        let timeLimit = table.value(PluginSchema.timeLimit)
        let parallel = table.value(PluginSchema.parallel)
        guard let name, let file, let sha256 else {
            plugin = nil
            return
        }
        plugin = PluginSettings(
            name: name, file: file, sha256: sha256, kinds: kinds, grants: grants, memoryMax: memoryMax,
            timeLimit: timeLimit, parallel: parallel)
    }

    /// All of a configuration. No name and no kind may be two plugins'.
    static func all(_ document: TableReader, _ context: ReadingContext) -> [PluginDraft] {
        let pieces = document.pieces(of: PluginSchema.table)
        if pieces.count > PluginSchema.mostPlugins {
            context.problems.add(
                pieces[PluginSchema.mostPlugins].place, "plugin", "there are \(pieces.count) plugins",
                allowed: "at most \(PluginSchema.mostPlugins)")
        }
        let drafts = pieces.enumerated().map { PluginDraft($0.element, number: $0.offset + 1, context) }
        var names: [String: SourcePlace] = [:]
        var kinds: [String: String] = [:]
        for draft in drafts {
            if let name = draft.name {
                if let first = names[name] {
                    context.problems.add(
                        draft.namePlace, "\(draft.path).name",
                        "\(name.inQuotes) is already the name of the plugin at \(first)",
                        allowed: "a name that no other plugin has")
                } else {
                    names[name] = draft.namePlace
                }
            }
            for kind in draft.plugin?.kinds ?? [] {
                if let other = kinds[kind] {
                    context.problems.add(
                        draft.kindsPlace, "\(draft.path).kinds",
                        other == draft.path
                            ? "\(kind.inQuotes) stands there twice"
                            : "\(kind.inQuotes) is carried out by \(other) already",
                        allowed: "each kind once")
                } else {
                    kinds[kind] = draft.path
                }
            }
        }
        return drafts
    }
}
