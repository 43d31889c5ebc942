/// The keys that one table of the configuration may have.
struct TableSchema: Sendable {
    /// How often the table may stand.
    enum Occurrence: Sendable {
        /// `[name]`.
        case once
        /// `[[name]]`.
        case repeated
    }

    /// Its name within its parent, such as "limits".
    let name: String
    /// Its full name, such as "worker.limits".
    let path: String
    let occurrence: Occurrence
    let settings: [SettingDescription]
    let subtables: [TableSchema]

    init(
        _ path: String, occurrence: Occurrence = .once, settings: [SettingDescription] = [],
        subtables: [TableSchema] = []
    ) {
        self.path = path
        self.name = path.split(separator: ".").last.map(String.init) ?? ""
        self.occurrence = occurrence
        self.settings = settings
        self.subtables = subtables
    }

    /// The header as it is written: "[worker.limits]".
    var header: String {
        occurrence == .once ? "[\(path)]" : "[[\(path)]]"
    }

    /// Every key that may stand in the table.
    var names: [String] { settings.map(\.name) + subtables.map(\.name) }

    /// The key that an unknown one was probably meant to be.
    func suggestion(for name: String) -> String? {
        if let known = settings.first(where: { $0.misnomers.contains(name.lowercased()) }) { return known.name }
        return NearestName.of(name, among: names)
    }

    /// This table and all below it.
    var withSubtables: [TableSchema] { [self] + subtables.flatMap(\.withSubtables) }
}
