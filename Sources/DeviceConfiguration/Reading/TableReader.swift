/// Reads the values of one table by its schema, and reports what the schema does not know.
struct TableReader {
    /// A value, and where it comes from.
    struct Found<Value> {
        var value: Value
        var source: SettingSource
    }

    private(set) var table: SourcedTable
    private let schema: TableSchema
    private let context: ReadingContext
    private var values: [String: (site: SettingSite, node: TOMLNode)] = [:]
    private var subtables: [String: [SourcedTable.Piece]] = [:]

    private var problems: ProblemCollector { context.problems }

    /// Reports unknown keys, keys that stand in several files, and tables that are none.
    init(_ table: SourcedTable, _ schema: TableSchema, _ context: ReadingContext) {
        self.table = table
        self.schema = schema
        self.context = context
        for piece in table.pieces {
            for entry in piece.table.entries { add(entry, piece) }
        }
    }

    private mutating func add(_ entry: TOMLTable.Entry, _ piece: SourcedTable.Piece) {
        let site = SettingSite(origin: piece.origin, key: table.path(of: entry.key))
        if let subtable = schema.subtables.first(where: { $0.name == entry.key }) {
            guard let found = pieces(of: entry.node, piece.origin, as: subtable) else {
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
                    SourcePlace(piece.origin, entry.keyPosition), site.key,
                    "is set already at \(earlier.site.place(earlier.node)); remove one of them")
            } else {
                values[entry.key] = (site, entry.node)
            }
        } else {
            let place = SourcePlace(piece.origin, entry.keyPosition)
            if !problems.isFull, let guess = schema.suggestion(for: entry.key) {
                problems.add(place, site.key, "is not known here (did you mean \(guess.inQuotes)?)")
            } else {
                problems.add(
                    place, site.key, "is not known here", allowed: schema.names.sorted().joined(separator: ", "))
            }
        }
    }

    /// The tables of an entry that should be one, or an array of them.
    private func pieces(of node: TOMLNode, _ origin: SourceOrigin, as schema: TableSchema) -> [SourcedTable.Piece]? {
        switch (node.value, schema.occurrence) {
        case (.table(let table), .once):
            return [SourcedTable.Piece(origin: origin, table: table, position: node.position)]
        case (.array(let elements), .repeated):
            var found: [SourcedTable.Piece] = []
            for element in elements {
                guard case .table(let table) = element.value else { return nil }
                found.append(SourcedTable.Piece(origin: origin, table: table, position: element.position))
            }
            return found
        default: return nil
        }
    }

    // MARK: What is given

    /// What the files and the environment say, or `nil` when they say nothing or something wrong, which has then been
    /// reported. A variable wins, and yet what the file says is judged: it is not to come as a surprise once the
    /// variable has gone.
    func find<Value>(_ setting: Setting<Value>) -> Found<Value>? {
        var found: Found<Value>?
        if let (site, node) = values[setting.name] {
            found = setting.type.read(node, site, problems).map {
                Found(value: $0, source: .given(site.place(node)))
            }
        }
        if let override = table.overrides.values[setting.name] {
            let site = SettingSite(origin: .variable(override.variable), key: table.path(of: setting.name))
            found = setting.type.read(override.node, site, problems).map {
                Found(value: $0, source: .given(site.place(override.node)))
            }
        }
        return found
    }

    func has(_ name: String) -> Bool { values[name] != nil || table.overrides.values[name] != nil }

    /// The place of a key's value, for problems that show only later; that of the table when the key is absent.
    func place(of name: String) -> SourcePlace {
        if let override = table.overrides.values[name] { return SourcePlace(variable: override.variable) }
        if let (site, node) = values[name] { return site.place(node) }
        return table.place ?? SourcePlace(file: "", position: TextPosition(line: 1, column: 1))
    }

    // MARK: What holds

    /// The value; else what holds otherwise.
    func value<Value>(_ setting: Setting<Value>, otherwise: @autoclosure () -> Found<Value>) -> Value {
        let found = find(setting) ?? otherwise()
        note(setting, found)
        return found.value
    }

    /// The value; else that of another table, where it is a default for this one; else the setting's own default.
    func value<Value>(_ defaulted: DefaultedSetting<Value>, inheriting other: TableReader? = nil) -> Value {
        value(
            defaulted.setting,
            otherwise: other?.find(defaulted.setting) ?? Found(value: defaulted.fallback, source: .builtIn))
    }

    /// The value, or `nil` when there is none here, nor in the other table.
    func optional<Value>(_ setting: Setting<Value>, inheriting other: TableReader? = nil) -> Value? {
        let found = find(setting) ?? other?.find(setting)
        note(setting, found)
        return found?.value
    }

    /// As `optional`; reports an absent key.
    func required<Value>(_ setting: Setting<Value>) -> Value? {
        if !has(setting.name), let place = table.place {
            problems.add(place, table.path(of: setting.name), "is missing", allowed: setting.type.allowed)
        }
        return optional(setting)
    }

    /// A setting that is a table: its value with the entries that variables set each for itself.
    func merged<Entry>(
        _ defaulted: DefaultedSetting<[String: Entry]>, write: (Entry) -> TOMLValue
    ) -> [String: Entry] {
        let setting = defaulted.setting
        let whole = find(setting) ?? Found(value: defaulted.fallback, source: .builtIn)
        var result = whole.value.mapValues { Found(value: $0, source: whole.source) }
        // More exactly, where the files say it.
        if table.overrides.values[setting.name] == nil, let (site, node) = values[setting.name],
            case .table(let table) = node.value
        {
            for entry in table.entries {
                result[entry.key]?.source = .given(SourcePlace(site.origin, entry.keyPosition))
            }
        }
        for (key, override) in table.overrides.entries[setting.name] ?? [] {
            let site = SettingSite(origin: .variable(override.variable), key: table.path(of: setting.name))
            let single = TOMLNode(value: .table([(key, override.node.value)]))
            guard let value = setting.type.read(single, site, problems)?[key] else { continue }
            result[key] = Found(value: value, source: .given(SourcePlace(variable: override.variable)))
        }
        if result.isEmpty { note(setting, whole) }
        for (key, found) in result { note(setting.name, entry: key, write(found.value), found.source) }
        return result.mapValues(\.value)
    }

    private func note<Value>(_ setting: Setting<Value>, _ found: Found<Value>?) {
        // Writing a value costs more than reading it.
        guard context.recorder != nil else { return }
        note(
            setting.name, found.map { setting.type.write($0.value) }, found?.source ?? .builtIn,
            otherwise: found == nil ? setting.description.absent : nil)
    }

    private func note(
        _ name: String, entry: String? = nil, _ value: TOMLValue?, _ source: SettingSource, otherwise: String? = nil
    ) {
        let key = entry.map { "\(name).\($0.asKeyPart)" } ?? name
        let setting = EffectiveSetting(key: key, value: value, otherwise: otherwise, source: source)
        context.recorder?.note(setting, named: name, in: schema, path: table.path)
    }

    // MARK: Tables within

    /// A table within this one that stands once; empty when it is absent.
    func subtable(_ schema: TableSchema) -> TableReader {
        let table = SourcedTable(
            path: table.path(of: schema.name), pieces: subtables[schema.name] ?? [],
            overrides: table.overrides.subtables[schema.name] ?? OverrideTable())
        return TableReader(table, schema, context)
    }

    /// The tables within this one that may stand several times.
    func pieces(of schema: TableSchema) -> [SourcedTable.Piece] {
        let overrides = table.overrides.elements[schema.name] ?? [:]
        return (subtables[schema.name] ?? []).enumerated().map { index, piece in
            var piece = piece
            if let override = overrides[index] { piece.overrides = override }
            return piece
        }
    }

    /// The same table with what environment variables set in it.
    func overridden(by overrides: OverrideTable) -> TableReader {
        var reader = self
        reader.table.overrides = overrides
        return reader
    }
}

/// What all parts of one reading share.
struct ReadingContext {
    let problems: ProblemCollector
    /// `nil` when nobody wants to see the values that hold.
    var recorder: EffectiveRecorder?
}
