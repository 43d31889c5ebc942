import ControlProtocol

/// A command, and how it stands on each device.
struct FleetCommandView {
    let command: JSONValue

    private var devices: [JSONValue] { command["devices"]?.arrayValue ?? [] }

    static func hasEnded(_ command: JSONValue) -> Bool {
        FleetCommandView(command: command).devices.allSatisfy { !isUnderWay($0["state"]?.stringValue) }
    }

    private static func isUnderWay(_ state: String?) -> Bool { state == "queued" || state == "running" }

    /// On how many devices it has ended otherwise than it should.
    var failures: Int {
        devices.count { !Self.isUnderWay($0["state"]?.stringValue) && $0["state"]?.stringValue != "succeeded" }
    }

    func lines(_ palette: Palette) -> [String] {
        let kind = (command["kind"]?.stringValue ?? "?").escapedForTerminal
        let target = (command["target"]?.stringValue ?? "?").escapedForTerminal
        let id = (command["id"]?.stringValue ?? "?").escapedForTerminal
        var lines = ["\(palette(.heading, kind))  for \(target)  \(palette(.faint, id))"]
        for device in devices {
            let state = device["state"]?.stringValue ?? "?"
            let name = (device["device"]?.stringValue ?? "?").escapedForTerminal
            let message = device["message"]?.stringValue.map { $0.isEmpty ? "" : "  \($0.escapedForTerminal)" } ?? ""
            let sent = device["attachment"] == true ? palette(.faint, "  sent something along") : ""
            lines.append("  \(name)  \(palette(Self.style(state), state.escapedForTerminal))\(message)\(sent)")
            lines += Self.result(device["result"] ?? .null).map { "    \($0)" }
        }
        return lines
    }

    /// Lines of a log as they are, other results as JSON, one member a line.
    private static func result(_ result: JSONValue) -> [String] {
        guard let members = result.objectValue?.members, !members.isEmpty else { return [] }
        return members.flatMap { member -> [String] in
            if member.key == "lines", let lines = member.value.arrayValue {
                return lines.map { ($0["line"]?.stringValue ?? $0.stringValue ?? "").escapedForTerminal }
            }
            if let text = member.value.stringValue {
                return ["\(member.key.escapedForTerminal): \(text.escapedForTerminal)"]
            }
            let text = String(decoding: member.value.serialised(), as: UTF8.self)
            return ["\(member.key.escapedForTerminal): \(text.escapedForTerminal)"]
        }
    }

    static func style(_ state: String) -> Style {
        switch state {
        case "succeeded": .good
        case "queued", "running": .active
        case "superseded", "cancelled", "expired": .caution
        default: .bad
        }
    }

    static func table(_ commands: [JSONValue]) -> Table {
        var table = Table([
            Table.Column("COMMAND"), Table.Column("FOR"), Table.Column("BY"), Table.Column("GIVEN"),
            Table.Column("STATES"),
            Table.Column("ID"),
        ])
        for command in commands {
            let states = (command["counts"]?.objectValue?.members ?? []).map { "\($0.value.intValue ?? 0) \($0.key)" }
            table.add([
                Table.Cell((command["kind"]?.stringValue ?? "?").escapedForTerminal),
                Table.Cell((command["target"]?.stringValue ?? "?").escapedForTerminal),
                Table.Cell((command["created_by"]?.stringValue ?? "?").escapedForTerminal),
                Table.Cell(ClockText.dateAndTime((command["created_ms"]?.doubleValue ?? 0) / 1000)),
                Table.Cell(states.joined(separator: ", ").escapedForTerminal),
                Table.Cell((command["id"]?.stringValue ?? "?").escapedForTerminal, .faint),
            ])
        }
        return table
    }
}
