/// Gathers the values of one reading as they will hold. Only for who wants to see them: the runtime does without.
final class EffectiveRecorder {
    private struct Row {
        var index: Int
        var setting: EffectiveSetting
    }

    private struct Gathered {
        var schema: TableSchema
        var rows: [Row] = []
    }

    /// By the paths of the tables, in the order in which they were read.
    private var order: [String] = []
    private var tables: [String: Gathered] = [:]

    /// - Parameter key: the setting's name, and below it the entry's if the setting is a table.
    func note(_ setting: EffectiveSetting, named name: String, in schema: TableSchema, path: String) {
        if tables[path] == nil {
            order.append(path)
            tables[path] = Gathered(schema: schema)
        }
        let index = schema.settings.firstIndex { $0.name == name } ?? schema.settings.count
        tables[path]?.rows.append(Row(index: index, setting: setting))
    }

    var sections: [EffectiveSection] {
        order.compactMap { path in
            guard let table = tables[path] else { return nil }
            let rows = table.rows.sorted { ($0.index, $0.setting.key) < ($1.index, $1.setting.key) }
            return EffectiveSection(
                table: table.schema.path, header: table.schema.header, name: table.schema.childName(in: path),
                path: path, settings: rows.map(\.setting))
        }
    }
}

extension TableSchema {
    /// "camera" for "worker.camera.limits", when this is the table "worker.limits".
    fileprivate func childName(in path: String) -> String? {
        // One of several tables without names goes by its number.
        guard path != self.path, !path.hasPrefix("\(self.path)["), let kind = self.path.split(separator: ".").first
        else { return nil }
        let below = self.path.dropFirst(kind.count)
        if occurrence == .repeated, !below.isEmpty {
            // "worker.camera.probe.alive", or "worker.camera.probe[2]".
            let rest = path.dropFirst(kind.count + 1)
            let end = [".", "["].compactMap { rest.firstRange(of: below + $0) }.first
            return end.map { String(rest[..<$0.lowerBound]) }
        }
        return String(path.dropFirst(kind.count + 1).dropLast(below.count))
    }
}
