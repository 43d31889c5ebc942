import ControlProtocol

/// `fleet tokens`.
struct FleetTokensView {
    let tokens: [JSONValue]

    var table: Table {
        var table = Table([
            Table.Column("ID"), Table.Column("STATE"), Table.Column("FOR"), Table.Column("USED", .right),
            Table.Column("EXPIRES"),
        ])
        for token in tokens {
            let state = token["state"]?.stringValue ?? "?"
            let isForDevices = token["kind"]?.stringValue == "enrolment"
            let holder =
                isForDevices
                ? "devices\(token["needs_approval"] == true ? ", to be approved" : "")"
                : "\(token["role"]?.stringValue ?? "?") \(token["name"]?.stringValue ?? "?")"
            table.add([
                Table.Cell((token["id"]?.stringValue ?? "?").escapedForTerminal),
                Table.Cell(state.escapedForTerminal, state == "valid" ? .good : .faint),
                Table.Cell(holder.escapedForTerminal),
                Table.Cell(isForDevices ? "\(token["used"]?.intValue ?? 0) of \(token["uses"]?.intValue ?? 0)" : ""),
                Table.Cell(token["expires_ms"]?.doubleValue.map { ClockText.dateAndTime($0 / 1000) } ?? "never"),
            ])
        }
        return table
    }
}
