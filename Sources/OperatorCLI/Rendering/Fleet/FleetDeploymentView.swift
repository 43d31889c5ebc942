import ControlProtocol

/// A deployment, and how it stands on each device.
struct FleetDeploymentView {
    let deployment: JSONValue
    /// In seconds since 1970.
    let now: Double

    private var devices: [JSONValue] { deployment["devices"]?.arrayValue ?? [] }
    private var state: String { deployment["state"]?.stringValue ?? "?" }

    /// Nothing more happens without an operator: it is over, or those that have begun have ended.
    var standsStill: Bool {
        switch state {
        case "running": false
        case "finished": true
        default: devices.allSatisfy { !["sent", "running"].contains($0["state"]?.stringValue) }
        }
    }

    /// On how many devices it has ended otherwise than it should, or does not go on.
    var failures: Int { devices.count { $0["state"]?.stringValue != "committed" } }

    private func text(_ key: String) -> String { (deployment[key]?.stringValue ?? "?").escapedForTerminal }

    /// What it is, in words.
    var title: String {
        let version = deployment["version"]?.stringValue?.escapedForTerminal
        return text("kind") == "rollback"
            ? "\(text("bundle")) back to \(version ?? "the last good version")" : "\(text("bundle")) \(version ?? "?")"
    }

    func lines(_ palette: Palette, width: Int?) -> [String] {
        var lines = [
            "\(palette(.heading, title))  \(palette(Self.style(ofDeployment: state), state.escapedForTerminal))  for \(text("target"))  \(palette(.faint, text("id")))"
        ]
        let (parallel, failures) = (
            deployment["max_parallel"]?.intValue ?? 0, deployment["max_failures"]?.intValue ?? 0
        )
        lines.append(
            palette(
                .faint, "  \(Self.counts(deployment)); \(parallel) at once, halts with more than \(failures) failed"))
        if let message = deployment["message"]?.stringValue {
            let way = state == "halted" ? ": 'holdfast fleet deployment resume' goes on, 'cancel' ends it" : ""
            lines.append(palette(.bad, "  \(message.escapedForTerminal)\(way)"))
        }
        guard !devices.isEmpty else { return lines }
        var table = Table([
            Table.Column("DEVICE"), Table.Column("STATE"), Table.Column("SINCE", .right), Table.Column("WHY"),
        ])
        for device in devices {
            let state = device["state"]?.stringValue ?? "?"
            let since = device["updated_ms"]?.doubleValue.map { DurationText.compact(max(0, now - $0 / 1000)) }
            table.add([
                Table.Cell((device["name"]?.stringValue ?? "?").escapedForTerminal),
                Table.Cell(state.escapedForTerminal, Self.style(state)), Table.Cell(since ?? ""),
                Table.Cell((device["message"]?.stringValue ?? "").escapedForTerminal),
            ])
        }
        return lines + [""] + table.lines(palette, width: width)
    }

    static func counts(_ deployment: JSONValue) -> String {
        (deployment["counts"]?.objectValue?.members ?? []).map {
            "\($0.value.intValue ?? 0) \($0.key.escapedForTerminal)"
        }.joined(separator: ", ")
    }

    /// Of a device.
    static func style(_ state: String) -> Style {
        switch state {
        case "committed": .good
        case "sent", "running": .active
        case "waiting": .faint
        case "superseded", "cancelled", "expired": .caution
        default: .bad
        }
    }

    private static func style(ofDeployment state: String) -> Style {
        switch state {
        case "running": .active
        case "finished": .good
        case "halted": .bad
        default: .caution
        }
    }

    static func table(_ deployments: [JSONValue]) -> Table {
        var table = Table([
            Table.Column("DEPLOYMENT"), Table.Column("STATE"), Table.Column("FOR"), Table.Column("BY"),
            Table.Column("GIVEN"), Table.Column("DEVICES"), Table.Column("ID"),
        ])
        for deployment in deployments {
            let view = FleetDeploymentView(deployment: deployment, now: 0)
            table.add([
                Table.Cell(view.title),
                Table.Cell(view.state.escapedForTerminal, style(ofDeployment: view.state)),
                Table.Cell(view.text("target")), Table.Cell(view.text("created_by")),
                Table.Cell(ClockText.dateAndTime((deployment["created_ms"]?.doubleValue ?? 0) / 1000)),
                Table.Cell(counts(deployment)), Table.Cell(view.text("id"), .faint),
            ])
        }
        return table
    }
}

/// What has changed on devices since the last look.
struct DeploymentProgress {
    private var known: [String: String] = [:]

    mutating func lines(_ deployment: JSONValue, _ palette: Palette) -> [String] {
        var lines: [String] = []
        for device in deployment["devices"]?.arrayValue ?? [] {
            let state = device["state"]?.stringValue ?? "?"
            let message = device["message"]?.stringValue ?? ""
            guard let id = device["device"]?.stringValue, known[id] != "\(state) \(message)" else { continue }
            let isFirst = known.updateValue("\(state) \(message)", forKey: id) == nil
            // Whose turn has not come has nothing to tell.
            if isFirst, state == "waiting" { continue }
            let name = (device["name"]?.stringValue ?? id).escapedForTerminal
            let words = message.isEmpty ? "" : "  \(message.escapedForTerminal)"
            lines.append(
                "  \(name)  \(palette(FleetDeploymentView.style(state), state.escapedForTerminal))\(words)")
        }
        return lines
    }
}
