import ControlProtocol

/// `fleet devices`.
struct FleetDevicesView {
    let devices: [FleetDevice]
    /// In seconds since 1970.
    let now: Double
    /// Whether central has more of them.
    let isMore: Bool

    func lines(_ palette: Palette, width: Int?) -> [String] {
        guard !devices.isEmpty else { return ["no device matches"] }
        var table = Table([
            Table.Column("DEVICE"), Table.Column("ID"), Table.Column("STATE"), Table.Column("SEEN", .right),
            Table.Column("LEVEL"), Table.Column("WORKERS"), Table.Column("VERSION"), Table.Column("LABELS"),
        ])
        for device in devices {
            let (state, style) = Self.state(device)
            table.add([
                Table.Cell(device.name.escapedForTerminal), Table.Cell(device.id, .faint), Table.Cell(state, style),
                Table.Cell(device.lastSeen.map { DurationText.compact(now - $0) } ?? "never"),
                Table.Cell(
                    (device.level ?? "").escapedForTerminal,
                    HealthText.style(ofLevel: device.level ?? "normal")),
                Table.Cell(Self.workers(device)), Table.Cell((device.version ?? "").escapedForTerminal),
                Table.Cell(device.labelText.escapedForTerminal, .faint),
            ])
        }
        let online = devices.count(where: \.isOnline)
        let sum = "\(devices.count == 1 ? "1 device" : "\(devices.count) devices"), \(online) online"
        return table.lines(palette, width: width) + ["", palette(.faint, sum + (isMore ? "; there are more" : ""))]
    }

    static func state(_ device: FleetDevice) -> (String, Style) {
        if device.isForked { return ("forked", .bad) }
        switch device.state {
        case "enrolled": return device.isOnline ? ("online", .good) : ("offline", .caution)
        case "pending": return ("pending", .active)
        default: return (device.state.escapedForTerminal, .bad)
        }
    }

    static func workers(_ device: FleetDevice) -> String {
        device.workers.map { "\($0.count) \($0.state.escapedForTerminal)" }.joined(separator: ", ")
    }
}

/// `fleet device`.
struct FleetDeviceView {
    let device: FleetDevice
    let now: Double

    func lines(_ palette: Palette) -> [String] {
        let (state, style) = FleetDevicesView.state(device)
        var lines = [
            "\(palette(.heading, device.name.escapedForTerminal))  \(palette(style, state))  \(palette(.faint, device.id))"
        ]
        if device.isForked {
            lines.append(palette(.bad, "  two devices have this identity: revoke it, and enrol both anew"))
        }
        var table = Table([Table.Column(), Table.Column()])
        func add(_ name: String, _ value: String?) {
            guard let value, !value.isEmpty else { return }
            table.add([Table.Cell("  " + name, .faint), Table.Cell(value.escapedForTerminal)])
        }
        add("seen", device.lastSeen.map { "\(DurationText.compact(now - $0)) ago" } ?? "never")
        add("up", device.json["up_s"]?.doubleValue.map { DurationText.compact($0) })
        add("version", device.version)
        add("level", device.level)
        add("workers", FleetDevicesView.workers(device))
        add("labels", device.labelText)
        add(
            "clock",
            device.json["skew_ms"]?.doubleValue.map { skew in
                abs(skew) < 1000
                    ? "right" : "\(DurationText.measured(abs(skew) / 1000)) \(skew > 0 ? "behind" : "ahead")"
            })
        for fact in device.json["facts"]?.objectValue?.members ?? [] {
            add(fact.key, fact.value.stringValue ?? String(decoding: fact.value.serialised(), as: UTF8.self))
        }
        for spool in device.json["spools"]?.objectValue?.members ?? [] {
            let waiting = max(0, (spool.value["written"]?.intValue ?? 0) - (spool.value["acknowledged"]?.intValue ?? 0))
            let gone = ["dropped", "expired", "lost", "refused"].compactMap { key in
                spool.value[key]?.intValue.flatMap { $0 > 0 ? "\($0) \(key)" : nil }
            }
            add(spool.key, (["\(waiting) wait"] + gone).joined(separator: ", "))
        }
        return lines + table.lines(palette)
    }
}
