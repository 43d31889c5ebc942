import ControlProtocol
import Spool

/// What lies in a spool, for people and for programs.
struct SpoolView {
    let path: String
    let inspection: SpoolInspection

    init(path: String, _ inspection: SpoolInspection) {
        self.path = path
        self.inspection = inspection
    }

    static func table(_ views: [SpoolView]) -> Table {
        var table = Table([
            Table.Column("SPOOL"), Table.Column("WAITING", .right), Table.Column("SIZE", .right),
            Table.Column("SEGMENTS", .right), Table.Column("CENTRAL HAS", .right), Table.Column("LAST", .right),
            Table.Column("DROPPED", .right), Table.Column("EXPIRED", .right), Table.Column("LOST", .right),
            Table.Column("STATE"),
        ])
        for view in views { table.add(view.row) }
        return table
    }

    private var row: [Table.Cell] {
        let cursor = inspection.cursor
        let state: Table.Cell = inspection.problems.isEmpty ? .init("good", .good) : .init("see check", .caution)
        return [
            Table.Cell(path), Table.Cell("\(inspection.waiting)"), Table.Cell(ByteText.compact(inspection.used)),
            Table.Cell("\(inspection.segments.count)"), Table.Cell(cursor.map { "\($0.acknowledged)" } ?? "?"),
            Table.Cell(inspection.last.map { "\($0)" } ?? "-"), Self.count(cursor?.dropped),
            Self.count(cursor?.expired), Self.count(cursor?.lost), state,
        ]
    }

    private static func count(_ number: UInt64?) -> Table.Cell {
        Table.Cell(number.map { "\($0)" } ?? "?", number ?? 0 == 0 ? .plain : .caution)
    }

    /// Of `check`: what is there, then what is wrong.
    func findings(_ palette: Palette) -> [String] {
        let records = inspection.records == 1 ? "1 record" : "\(inspection.records) records"
        let segments = inspection.segments.count == 1 ? "1 segment" : "\(inspection.segments.count) segments"
        var lines = ["\(palette(.heading, path))  \(records) in \(segments), \(inspection.waiting) wait for central"]
        lines += inspection.problems.map { "  \(palette(.caution, "wrong:")) \($0)" }
        lines += inspection.gaps.map { gap in
            "  \(palette(.faint, "gap:")) \(gap.lowerBound) to \(gap.upperBound) (\(gap.count)) were dropped, expired or lost"
        }
        return lines
    }

    private enum Key: String {
        case path, id, waiting, records, segments, acknowledged, last, dropped, expired, lost, gaps, problems
        case used = "used_bytes"
    }

    var json: JSONValue {
        let cursor = inspection.cursor
        return .object([
            Key.path: path, .id: cursor?.id.description, .waiting: inspection.waiting, .records: inspection.records,
            .used: inspection.used, .segments: inspection.segments.count,
            .acknowledged: cursor.map { Int(clamping: $0.acknowledged) },
            .last: inspection.last.map { Int(clamping: $0) }, .dropped: cursor.map { Int(clamping: $0.dropped) },
            .expired: cursor.map { Int(clamping: $0.expired) }, .lost: cursor.map { Int(clamping: $0.lost) },
            .gaps: inspection.gaps.map { [Int(clamping: $0.lowerBound), Int(clamping: $0.upperBound)] },
            .problems: inspection.problems,
        ])
    }
}
