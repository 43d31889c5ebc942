import ControlProtocol

/// `holdfast plugin list`: a line for each plugin.
struct PluginListView {
    let plugins: [PluginReport]

    func lines(_ palette: Palette, width: Int?) -> [String] {
        guard !plugins.isEmpty else { return ["no plugins: none stands in the configuration ([[plugin]])"] }
        var table = Table([
            Table.Column("PLUGIN"), Table.Column("VERSION"), Table.Column("STATE"), Table.Column("RUNNING", .right),
            Table.Column("WAITING", .right), Table.Column("GRANTS"), Table.Column("KINDS, OR WHY NOT"),
        ])
        for plugin in plugins { table.add(Self.row(plugin)) }
        return table.lines(palette, width: width)
    }

    private static func row(_ plugin: PluginReport) -> [Table.Cell] {
        let style: Style =
            switch plugin.state {
            case .ready: .good
            case .refused: .bad
            case .unchecked: .caution
            }
        return [
            Table.Cell(plugin.name.escapedForTerminal), Table.Cell((plugin.version ?? "-").escapedForTerminal),
            Table.Cell(plugin.state.rawValue, style), count(plugin.running), count(plugin.waiting),
            Table.Cell(plugin.grants.isEmpty ? "-" : plugin.grants.joined(separator: " ").escapedForTerminal),
            Table.Cell(explanation(plugin).escapedForTerminal, plugin.state == .refused ? .caution : .plain),
        ]
    }

    private static func count(_ number: Int) -> Table.Cell { Table.Cell(number == 0 ? "" : "\(number)") }

    private static func explanation(_ plugin: PluginReport) -> String {
        var parts = plugin.kinds.isEmpty ? [] : [plugin.kinds.map(\.name).joined(separator: " ")]
        if let reason = plugin.reason { parts.append(reason) }
        if !plugin.missingGrants.isEmpty {
            parts.append("would like \(plugin.missingGrants.joined(separator: " "))")
        }
        return parts.joined(separator: "; ")
    }
}
