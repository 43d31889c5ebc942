/// A place in a text; lines and columns count from 1, columns in code points.
package struct TextPosition: Hashable, Comparable, Sendable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// Of what stands in no text.
    static let none = TextPosition(line: 0, column: 0)

    package static func < (left: TextPosition, right: TextPosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A TOML value and where it stands.
package struct TOMLNode: Equatable, Sendable {
    package var position: TextPosition
    package var value: TOMLValue
}

/// The values of TOML 1.0. Dates and times carry nothing: no setting takes one.
package enum TOMLValue: Equatable, Sendable {
    case table(TOMLTable)
    case array([TOMLNode])
    case string(String)
    case integer(Int64)
    case float(Double)
    case boolean(Bool)
    case date
    case time
    case dateTime

    /// The value as an operator would call it: "the integer 5", "a table".
    var inWords: String {
        switch self {
        case .table: "a table"
        case .array(let elements): elements.isEmpty ? "an empty array" : "an array"
        case .string(let text): "the string \(text.quoted)"
        case .integer(let number): "the integer \(number)"
        case .float(let number): "the number \(number)"
        case .boolean(let truth): "\(truth)"
        case .date: "a date"
        case .time: "a time"
        case .dateTime: "a date with time"
        }
    }
}

/// A TOML table: its entries in the order of the text, each key once.
package struct TOMLTable: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package var key: String
        package var keyPosition: TextPosition
        package var node: TOMLNode
    }

    package var entries: [Entry] = []

    /// The value of a key of this table.
    subscript(key: String) -> TOMLNode? {
        entries.first { $0.key == key }?.node
    }
}
