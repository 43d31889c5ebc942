/// Rows in aligned columns. Each column is as wide as its widest cell; the last one is wrapped where the width of the
/// terminal is known; columns without any content are left out.
struct Table {
    struct Cell: Equatable {
        var text: String
        var style: Style

        init(_ text: String, _ style: Style = .plain) {
            self.text = text
            self.style = style
        }
    }

    enum Alignment {
        case left
        case right
    }

    struct Column {
        var title: String
        var alignment: Alignment

        init(_ title: String = "", _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    private struct Row {
        var cells: [Cell]
        /// Stands in the first column of the lines that the last column is wrapped into.
        var continuation: String
    }

    private static let gap = "  "
    /// A last column narrower than this is not wrapped: the terminal does it no worse.
    private static let narrowestWrapped = 24

    let columns: [Column]
    private var rows: [Row] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// - Parameter cells: one for each column; the missing ones are empty.
    mutating func add(_ cells: [Cell], continuation: String = "") {
        let missing = max(0, columns.count - cells.count)
        rows.append(
            Row(
                cells: Array(cells.prefix(columns.count)) + Array(repeating: Cell(""), count: missing),
                continuation: continuation))
    }

    /// - Parameter width: of the terminal, in columns; `nil` leaves every row on one line.
    func lines(_ palette: Palette, width: Int? = nil) -> [String] {
        let shown = columns.indices.filter { column in rows.contains { !$0.cells[column].text.isEmpty } }
        guard let last = shown.last else { return [] }
        var widths = columns.indices.map { column in
            max(columns[column].title.count, rows.map(\.cells[column].text.count).max() ?? 0)
        }
        if let width {
            let before = shown.dropLast().map { widths[$0] + Self.gap.count }.reduce(0, +)
            if width - before >= Self.narrowestWrapped { widths[last] = min(widths[last], width - before) }
        }
        var lines: [String] = []
        if shown.contains(where: { !columns[$0].title.isEmpty }) {
            let titles = columns.map { Cell($0.title, .faint) }
            lines.append(line(titles, shown: shown, widths: widths, palette))
        }
        for row in rows {
            for (index, part) in wrap(row.cells[last].text, width: widths[last]).enumerated() {
                var cells = index == 0 ? row.cells : columns.map { _ in Cell("") }
                if index > 0 { cells[shown[0]] = Cell(row.continuation, row.cells[shown[0]].style) }
                cells[last] = Cell(part, row.cells[last].style)
                lines.append(line(cells, shown: shown, widths: widths, palette))
            }
        }
        return lines
    }

    private func line(_ cells: [Cell], shown: [Int], widths: [Int], _ palette: Palette) -> String {
        // Nothing but blanks after the last text of a line.
        let end = shown.lastIndex { !cells[$0].text.isEmpty } ?? -1
        var parts: [String] = []
        for (position, column) in shown.enumerated() where position <= end {
            let cell = cells[column]
            let padding = String(repeating: " ", count: max(0, widths[column] - cell.text.count))
            let text = palette(cell.style, cell.text)
            switch columns[column].alignment {
            case .right: parts.append(padding + text)
            case .left: parts.append(position == end ? text : text + padding)
            }
        }
        return parts.joined(separator: Self.gap)
    }

    /// Breaks at blanks; a word longer than the width is cut.
    private func wrap(_ text: String, width: Int) -> [String] {
        guard text.count > width, width > 0 else { return [text] }
        var lines: [String] = []
        var rest = Substring(text)
        while rest.count > width {
            let end = rest.index(rest.startIndex, offsetBy: width)
            let blank = rest[...end].lastIndex(of: " ")
            let cut = blank.flatMap { $0 > rest.startIndex ? $0 : nil } ?? end
            lines.append(String(rest[..<cut]))
            rest = rest[cut...].drop { $0 == " " }
        }
        if !rest.isEmpty { lines.append(String(rest)) }
        return lines
    }
}
