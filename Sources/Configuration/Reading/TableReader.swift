/// Reads the values of one table by its schema, and reports what the schema does not know.
struct TableReader {
    let table: SourcedTable
    private let problems: ProblemCollector
    private var values: [String: (site: SettingSite, node: TOMLNode)] = [:]
    private var subtables: [String: [SourcedTable.Piece]] = [:]

    /// Reports unknown keys, keys that stand in several files, and tables that are none.
    init(_ table: SourcedTable, _ schema: TableSchema, _ problems: ProblemCollector) {
        self.table = table
        self.problems = problems
        for piece in table.pieces {
            for entry in piece.table.entries { add(entry, piece, schema) }
        }
    }

    private mutating func add(_ entry: TOMLTable.Entry, _ piece: SourcedTable.Piece, _ schema: TableSchema) {
        let site = SettingSite(file: piece.file, key: table.path(of: entry.key))
        if let subtable = schema.subtables.first(where: { $0.name == entry.key }) {
            guard let found = pieces(of: entry.node, piece.file, as: subtable) else {
                let wanted = subtable.occurrence == .once ? "the table" : "one or more tables"
                problems.add(
                    site.place(entry.node), site.key, "found \(entry.node.value.inWords)",
                    allowed: "\(wanted) \(subtable.header)")
                return
            }
            subtables[entry.key, default: []] += found
        } else if schema.settings.contains(where: { $0.name == entry.key }) {
            if let earlier = values[entry.key] {
                problems.add(
                    SourcePlace(file: piece.file, position: entry.keyPosition), site.key,
                    "is set already at \(earlier.site.place(earlier.node)); remove one of them")
            } else {
                values[entry.key] = (site, entry.node)
            }
        } else {
            let place = SourcePlace(file: piece.file, position: entry.keyPosition)
            if !problems.isFull, let guess = schema.suggestion(for: entry.key) {
                problems.add(place, site.key, "is not known here (did you mean \(guess.inQuotes)?)")
            } else {
                problems.add(
                    place, site.key, "is not known here", allowed: schema.names.sorted().joined(separator: ", "))
            }
        }
    }

    /// The tables of an entry that should be one, or an array of them.
    private func pieces(of node: TOMLNode, _ file: String, as schema: TableSchema) -> [SourcedTable.Piece]? {
        switch (node.value, schema.occurrence) {
        case (.table(let table), .once):
            return [SourcedTable.Piece(file: file, table: table, position: node.position)]
        case (.array(let elements), .repeated):
            var found: [SourcedTable.Piece] = []
            for element in elements {
                guard case .table(let table) = element.value else { return nil }
                found.append(SourcedTable.Piece(file: file, table: table, position: element.position))
            }
            return found
        default: return nil
        }
    }

    /// The value, or `nil` when the key is absent or its value is wrong, which has then been reported.
    func value<Value>(_ setting: Setting<Value>) -> Value? {
        guard let (site, node) = values[setting.name] else { return nil }
        return setting.type.read(node, site, problems)
    }

    /// The value that the table gives, as above: the default does not count.
    func given<Value>(_ defaulted: DefaultedSetting<Value>) -> Value? { value(defaulted.setting) }

    /// The value, or the default when the key is absent or its value is wrong, which has then been reported.
    func value<Value>(_ defaulted: DefaultedSetting<Value>) -> Value { given(defaulted) ?? defaulted.fallback }

    /// As `value`; reports an absent key.
    func required<Value>(_ setting: Setting<Value>) -> Value? {
        if values[setting.name] == nil, let place = table.place {
            problems.add(place, table.path(of: setting.name), "is missing", allowed: setting.type.allowed)
        }
        return value(setting)
    }

    func has(_ name: String) -> Bool { values[name] != nil }

    /// The place of a key's value, for problems that show only later; that of the table when the key is absent.
    func place(of name: String) -> SourcePlace {
        if let (site, node) = values[name] { return site.place(node) }
        return table.place ?? SourcePlace(file: "", position: TextPosition(line: 1, column: 1))
    }

    /// A table within this one that stands once; empty when it is absent.
    func subtable(_ schema: TableSchema) -> TableReader {
        let path = table.path(of: schema.name)
        return TableReader(SourcedTable(path: path, pieces: subtables[schema.name] ?? []), schema, problems)
    }

    /// The tables within this one that may stand several times.
    func pieces(of schema: TableSchema) -> [SourcedTable.Piece] { subtables[schema.name] ?? [] }
}
