import CTOML

/// Why a text is no TOML, and where.
struct TOMLFailure: Error, Equatable, Sendable {
    var position: TextPosition
    var reason: String
}

/// Parses TOML 1.0 by toml++, behind its C interface.
enum TOMLParser {
    /// The document's own table.
    ///
    /// - Parameter bytes: UTF-8; the caller has checked that, and their number.
    static func parse(_ bytes: [UInt8]) throws(TOMLFailure) -> TOMLTable {
        let document = bytes.withUnsafeBufferPointer { hf_toml_parse($0.baseAddress, $0.count) }
        guard let document else {
            throw TOMLFailure(position: TextPosition(line: 1, column: 1), reason: "not enough memory to read it")
        }
        defer { hf_toml_free(document) }
        var place = hf_toml_position()
        if let failure = hf_toml_failure(document, &place) {
            // The parser's words carry whatever stands in the text, control characters included.
            let words = String(failure.pointee).printable
            let position = TextPosition(place)
            throw TOMLFailure(position: position, reason: plainWords(for: words, at: position, in: bytes) ?? words)
        }
        var count = 0
        let nodes = hf_toml_nodes(document, &count)
        var walk = FlatWalk(nodes: UnsafeBufferPointer(start: nodes, count: count))
        guard case .table(let table) = walk.next().value else { return TOMLTable() }
        return table
    }

    /// The commonest slips, in words that say what to do; `nil` for others.
    private static func plainWords(for words: String, at position: TextPosition, in bytes: [UInt8]) -> String? {
        let isControlCharacter = words.hasPrefix("string: unescaped control characters other than TAB")
        if words == "string: encountered end-of-file" || isControlCharacter && isEndOfLine(position, in: bytes) {
            return "a text has no closing quote on its line"
        }
        // A text that begins like true, false, inf or nan is taken for one of them.
        let isBare =
            words == "value: could not determine value type" || words.hasPrefix("boolean: expected")
            || words.hasPrefix("floating-point: expected 'inf'") || words.hasPrefix("floating-point: expected 'nan'")
        return isBare ? "this is no value; a text needs quotes, such as \"text\"" : nil
    }

    private static func isEndOfLine(_ position: TextPosition, in bytes: [UInt8]) -> Bool {
        let newline = UInt8(ascii: "\n")
        let lines = bytes.split(separator: newline, maxSplits: position.line, omittingEmptySubsequences: false)
        guard lines.indices.contains(position.line - 1) else { return true }
        var line = lines[position.line - 1]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return position.column > String(decoding: line, as: UTF8.self).unicodeScalars.count
    }
}

/// Rebuilds the tree from the flat list, in which every node is followed by its children.
private struct FlatWalk {
    let nodes: UnsafeBufferPointer<hf_toml_node>
    var index = 0

    /// The node at `index` with everything below it; the depth is limited by the parser.
    mutating func next() -> TOMLNode {
        let flat = nodes[index]
        index += 1
        let value: TOMLValue =
            switch Int(flat.kind) {
            case hf_toml_table: .table(table(of: Int(flat.child_count)))
            case hf_toml_array: .array((0..<flat.child_count).map { _ in next() })
            case hf_toml_string: .string(String(flat.string))
            case hf_toml_integer: .integer(flat.integer)
            case hf_toml_float: .float(flat.real)
            case hf_toml_boolean: .boolean(flat.integer != 0)
            case hf_toml_date: .date
            case hf_toml_time: .time
            default: .dateTime
            }
        return TOMLNode(position: TextPosition(flat.position), value: value)
    }

    private mutating func table(of count: Int) -> TOMLTable {
        var table = TOMLTable()
        table.entries.reserveCapacity(count)
        for _ in 0..<count {
            let flat = nodes[index]
            table.entries.append(
                TOMLTable.Entry(key: String(flat.key), keyPosition: TextPosition(flat.key_position), node: next()))
        }
        return table
    }
}

extension TextPosition {
    fileprivate init(_ position: hf_toml_position) {
        self.init(line: Int(position.line), column: Int(position.column))
    }
}

extension String {
    fileprivate init(_ text: hf_toml_text) {
        self.init(decoding: UnsafeRawBufferPointer(start: text.bytes, count: text.count), as: UTF8.self)
    }
}
