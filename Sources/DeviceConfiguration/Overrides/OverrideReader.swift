/// Finds the setting that each environment variable names, and reports those that name none.
struct OverrideReader {
    /// The names of what stands in repeated tables by the path of those ("worker", "worker.camera.probe"), in the order of the
    /// files; `nil` for one without a usable name.
    let children: [String: [String?]]
    /// False when a file could not be read: a child that is not known may well stand in there.
    let knowsAllChildren: Bool
    let problems: ProblemCollector
    private(set) var overrides = OverrideTable()

    init(children: [String: [String?]], knowsAllChildren: Bool, _ problems: ProblemCollector) {
        self.children = children
        self.knowsAllChildren = knowsAllChildren
        self.problems = problems
    }

    /// - Parameter variables: in the order in which problems are to be told.
    mutating func read(_ variables: [ConfigurationVariable]) {
        for variable in variables {
            problems.willRead(.variable(variable.name))
            guard variable.name.hasPrefix(ConfigurationVariable.prefix) else {
                // One underscore is easily lost.
                let rest = variable.name.dropFirst(ConfigurationVariable.prefix.count - 1)
                let isSection = ConfigurationSchema.document.subtables.contains { rest.below($0.name) != nil }
                report(
                    variable, "is not a setting", guess: isSection ? ConfigurationVariable.prefix + rest : nil,
                    allowed: isSection ? nil : "\(ConfigurationVariable.prefix)<SECTION>__<KEY>")
                continue
            }
            guard UTF8Check.firstMistake(in: variable.value) == nil else {
                report(variable, "is not UTF-8 text")
                continue
            }
            let rest = variable.name.dropFirst(ConfigurationVariable.prefix.count)
            var target = overrides
            place(variable, rest, ConfigurationSchema.document, path: "", in: &target)
            overrides = target
        }
    }

    // MARK: Finding

    /// - Parameter rest: what is left of the variable's name below the table.
    private func place(
        _ variable: ConfigurationVariable, _ rest: Substring, _ schema: TableSchema, path: String,
        in table: inout OverrideTable
    ) {
        if let setting = schema.settings.first(where: { rest.isName($0.name) }) {
            return set(variable, setting, path: path, in: &table)
        }
        if let (setting, key) = schema.entry(rest) {
            return set(variable, setting, entry: key, path: path, in: &table)
        }
        for subtable in schema.subtables {
            guard let below = rest.below(subtable.name) else { continue }
            let path = path.isEmpty ? subtable.name : "\(path).\(subtable.name)"
            switch subtable.occurrence {
            case .once:
                place(variable, below, subtable, path: path, in: &table.subtables[subtable.name, default: .init()])
            case .repeated:
                placeInChild(variable, below, subtable, path: path, in: &table.elements[subtable.name, default: [:]])
            }
            return
        }
        reportUnknown(variable, rest, schema)
    }

    private func placeInChild(
        _ variable: ConfigurationVariable, _ rest: Substring, _ schema: TableSchema, path: String,
        in elements: inout [Int: OverrideTable]
    ) {
        guard let names = children[path] ?? (schema.path == ProbeSchema.table.path ? [] : nil) else {
            return report(variable, "is in one of several tables without names: set it in a file")
        }
        var candidates: [(index: Int, name: String, below: Substring)] = []
        for (index, name) in names.enumerated() {
            // Of several with one name, which is reported elsewhere, the first is meant.
            if let name, let below = rest.below(name.asVariablePart), !candidates.contains(where: { $0.name == name }) {
                candidates.append((index, name, below))
            }
        }
        // A name may contain what separates names: "a" and "a__limits". The rest tells which it is, mostly.
        let fitting = candidates.count > 1 ? candidates.filter { schema.knows($0.below) } : candidates
        if fitting.count > 1 {
            let both = fitting.map { "\($0.name.inQuotes)" }.joined(separator: " and ")
            return report(
                variable, "could mean the \(schema.name)s \(both); set it in a file, or rename one of them")
        }
        guard let child = fitting.first ?? candidates.first else {
            return reportUnknownChild(variable, rest, schema, names.compactMap(\.self))
        }
        place(
            variable, child.below, schema, path: "\(path).\(child.name)",
            in: &elements[child.index, default: .init()])
    }

    // MARK: Setting

    private func set(
        _ variable: ConfigurationVariable, _ setting: SettingDescription, path: String, in table: inout OverrideTable
    ) {
        let path = "\(path).\(setting.name)"
        if let earlier = table.values[setting.name] {
            return report(variable, "sets \(path), as \(earlier.variable) does; remove one of them")
        }
        do throws(TextMistake) {
            let node = try setting.form.node(String(decoding: variable.value, as: UTF8.self))
            table.values[setting.name] = OverrideTable.Value(variable: variable.name, node: node)
        } catch {
            report(variable, error.reason, key: path, allowed: setting.type)
        }
    }

    private func set(
        _ variable: ConfigurationVariable, _ setting: SettingDescription, entry key: String, path: String,
        in table: inout OverrideTable
    ) {
        let path = "\(path).\(setting.name).\(key.asKeyPart)"
        var entries = table.entries[setting.name] ?? []
        if let earlier = entries.first(where: { $0.key == key }) {
            return report(variable, "sets \(path), as \(earlier.value.variable) does; remove one of them")
        }
        let text = String(decoding: variable.value, as: UTF8.self)
        entries.append((key, OverrideTable.Value(variable: variable.name, node: TOMLNode(value: .string(text)))))
        table.entries[setting.name] = entries
    }

    // MARK: Reporting

    private func report(
        _ variable: ConfigurationVariable, _ message: String, key: String? = nil, guess: String? = nil,
        allowed: String? = nil
    ) {
        let message = guess.map { "\(message) (did you mean \($0.printable)?)" } ?? message
        problems.add(
            ConfigurationProblem(
                kind: .setting, at: SourcePlace(variable: variable.name), key: key, message: message, allowed: allowed))
    }

    private func reportUnknown(_ variable: ConfigurationVariable, _ rest: Substring, _ schema: TableSchema) {
        let before = variable.name.dropLast(rest.count)
        if let subtable = schema.subtables.first(where: { rest.isName($0.name) }) {
            let middle = subtable.occurrence == .once ? "" : "<NAME>__"
            return report(
                variable, "names a section, not a setting",
                allowed: "\(before)\(subtable.name.uppercased())__\(middle)<KEY>")
        }
        if let setting = schema.settings.first(where: { rest.below($0.name) != nil }) {
            return report(variable, "has nothing below the setting \(setting.name)")
        }
        // HOLDFAST_CONFIG__RUNTIME_NAME
        if let subtable = schema.subtables.first(where: { rest.uppercased().hasPrefix($0.name.uppercased() + "_") }) {
            let name = subtable.name.uppercased()
            let below = rest.dropFirst(name.count).drop { $0 == "_" }
            return report(variable, "is not a setting", guess: "\(before)\(name)__\(below)")
        }
        let part = rest.firstPart
        if !problems.isFull, let guess = schema.suggestion(for: part.lowercased()) {
            return report(
                variable, "is not a setting", guess: before + guess.uppercased() + rest.dropFirst(part.count))
        }
        report(
            variable, "is not a setting",
            allowed: before + "<KEY>, one of " + schema.names.sorted().map { $0.uppercased() }.joined(separator: ", "))
    }

    private func reportUnknownChild(
        _ variable: ConfigurationVariable, _ rest: Substring, _ schema: TableSchema, _ names: [String]
    ) {
        if names.contains(where: { rest.isName($0.asVariablePart) }) {
            return report(
                variable, "names a \(schema.name), not a setting", allowed: "\(variable.name)__<KEY>")
        }
        guard knowsAllChildren else { return }
        let part = rest.firstPart
        let before = variable.name.dropLast(rest.count)
        let parts = names.map(\.asVariablePart)
        let message = "there is no \(schema.name) \(part.isEmpty ? "without a name" : String(part).printable)"
        if !problems.isFull, names.count <= 1000, let guess = NearestName.of(String(part), among: parts) {
            return report(variable, message, guess: before + guess + rest.dropFirst(part.count))
        }
        let shown = parts.prefix(8).joined(separator: ", ")
        report(
            variable, message,
            allowed: names.isEmpty ? nil : parts.count > 8 ? "\(shown) and \(parts.count - 8) more" : shown)
    }
}

extension TableSchema {
    /// Whether the rest of a variable's name leads to a setting.
    fileprivate func knows(_ rest: Substring) -> Bool {
        settings.contains { rest.isName($0.name) } || entry(rest) != nil
            || subtables.contains { subtable in
                rest.below(subtable.name).map { subtable.occurrence == .repeated || subtable.knows($0) } ?? false
            }
    }

    /// The setting that is a table, and the key of its entry, that the rest of a variable's name means.
    fileprivate func entry(_ rest: Substring) -> (SettingDescription, key: String)? {
        for setting in settings where setting.form == .table {
            if let key = rest.below(setting.name), !key.isEmpty { return (setting, String(key)) }
        }
        return nil
    }
}

extension Substring {
    /// Whether this is the name, in letters of any case.
    fileprivate func isName(_ name: String) -> Bool { uppercased() == name.uppercased() }

    /// What follows the name and two underscores; `nil` when it begins otherwise.
    fileprivate func below(_ name: String) -> Substring? {
        let start = name.uppercased() + "__"
        return uppercased().hasPrefix(start) ? dropFirst(start.count) : nil
    }

    /// What stands before the first two underscores.
    fileprivate var firstPart: Substring { firstRange(of: "__").map { self[..<$0.lowerBound] } ?? self }
}

extension String {
    /// A name as a part of a variable's name, which knows neither "-" nor ".".
    var asVariablePart: String { uppercased().replacing("-", with: "_").replacing(".", with: "_") }
}
