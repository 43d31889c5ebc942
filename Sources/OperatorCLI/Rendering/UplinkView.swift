import ControlProtocol

/// `holdfast uplink`: the link in a line or two, then what waits.
struct UplinkView {
    var status: UplinkStatus
    var palette: Palette
    var width: Int?

    var lines: [String] {
        let queues = queues.lines(palette, width: width)
        return [summary] + hint + clock + warnings + (queues.isEmpty ? [] : [""] + queues)
    }

    private var summary: String {
        let state = palette(Self.style(of: status.state), Self.words(of: status.state))
        let central = status.central.map { " \(Self.preposition(status.state)) \($0.escapedForTerminal)" } ?? ""
        let device = status.device.map { " as \($0.escapedForTerminal)" } ?? ""
        let since = " for \(DurationText.compact(status.since))"
        let reason = status.reason.map { ": \($0.escapedForTerminal)" } ?? ""
        let next = status.nextAttemptIn.map { palette(.faint, "; next try \(DurationText.inThen($0))") } ?? ""
        return "\(state)\(central)\(device)\(since)\(reason)\(next)"
    }

    private var hint: [String] {
        switch status.state {
        case .notEnrolled: [palette(.faint, "a token from central makes it known there: sudo holdfast enrol TOKEN")]
        case .pending: [palette(.faint, "an operator of central has to approve it")]
        case .enrolling, .connected, .offline, .refused: []
        }
    }

    /// Whoever compares times at central wants to know.
    private var clock: [String] {
        guard let offset = status.clockOffset, abs(offset) >= 2 else { return [] }
        let direction = offset > 0 ? "behind" : "ahead of"
        return [palette(.caution, "this device's clock is \(DurationText.compact(abs(offset))) \(direction) central's")]
    }

    private var warnings: [String] {
        status.warnings.map { palette(.caution, "warning:") + " \($0.escapedForTerminal)" }
    }

    private var queues: Table {
        var table = Table([
            Table.Column("QUEUE"), Table.Column("WAITING", .right), Table.Column("ON DISK", .right),
            Table.Column("OF", .right), Table.Column("NOTES"),
        ])
        for queue in status.queues {
            let isNearlyFull = queue.used > queue.quota / 10 * 9
            table.add([
                Table.Cell(queue.name.escapedForTerminal),
                Table.Cell("\(max(0, queue.written - queue.acknowledged))"),
                Table.Cell(ByteText.compact(queue.used), isNearlyFull ? .caution : .plain),
                Table.Cell(ByteText.compact(queue.quota), .faint),
                Table.Cell(Self.notes(on: queue), Self.isLossy(queue) ? .caution : .faint),
            ])
        }
        return table
    }

    private static func isLossy(_ queue: UplinkStatus.Queue) -> Bool {
        queue.dropped + queue.expired + queue.lost + queue.refused > 0
    }

    private static func notes(on queue: UplinkStatus.Queue) -> String {
        let counts = [
            (queue.dropped, "dropped for the quota"), (queue.expired, "expired"), (queue.lost, "lost to damage"),
            (queue.refused, "refused"),
        ]
        return counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    }

    // MARK: States

    static func words(of state: UplinkStatus.State) -> String {
        switch state {
        case .notEnrolled: "not enrolled"
        case .enrolling: "enrolling"
        case .pending: "waiting for approval"
        case .connected: "connected"
        case .offline: "offline"
        case .refused: "refused"
        }
    }

    private static func preposition(_ state: UplinkStatus.State) -> String {
        switch state {
        case .connected: "to"
        case .enrolling, .pending: "at"
        case .refused: "by"
        case .notEnrolled, .offline: "from"
        }
    }

    private static func style(of state: UplinkStatus.State) -> Style {
        switch state {
        case .connected: .good
        case .enrolling, .pending: .active
        case .notEnrolled: .plain
        case .offline: .caution
        case .refused: .bad
        }
    }
}
