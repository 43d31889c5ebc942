/// How the value of a setting is written in an environment variable.
enum OverrideForm: Sendable {
    /// As it is, without quotes.
    case text
    /// A number, true or false as in TOML; anything else is a text ("off", "unlimited").
    case scalar
    /// An array as in TOML, or texts with commas between them.
    case list
    /// As in TOML.
    case structure
    /// A table as in TOML; or each entry in a variable of its own, whose name goes on with `__` and the entry's key.
    case table

    /// The value that a variable's text stands for. Its type is judged by the setting.
    func node(_ text: String) throws(TextMistake) -> TOMLNode {
        let trimmed = text.trimmingBlanks
        switch self {
        case .text: return TOMLNode(value: .string(text))
        case .scalar:
            switch try? OverrideForm.parse(trimmed) {
            case .integer(let number): return TOMLNode(value: .integer(number))
            case .float(let number): return TOMLNode(value: .float(number))
            case .boolean(let truth): return TOMLNode(value: .boolean(truth))
            default: return TOMLNode(value: .string(text))
            }
        case .list where !trimmed.hasPrefix("["):
            if trimmed.isEmpty { return TOMLNode(value: .array([])) }
            let parts = trimmed.split(separator: ",", omittingEmptySubsequences: false)
            return TOMLNode(value: .strings(parts.map { String($0).trimmingBlanks }))
        case .structure where !trimmed.hasPrefix("["), .table where !trimmed.hasPrefix("{"):
            // Whatever it is, it is no array and no table: the setting says what is allowed.
            return TOMLNode(value: .string(text))
        case .list, .structure, .table: return TOMLNode(value: try OverrideForm.parse(trimmed))
        }
    }

    private static func parse(_ text: String) throws(TextMistake) -> TOMLValue {
        let table: TOMLTable
        do throws(TOMLFailure) {
            table = try TOMLParser.parse(Array("value = \(text)".utf8))
        } catch {
            throw TextMistake(reason: "is not valid TOML: \(error.reason)")
        }
        // A text of several lines could bring keys of its own.
        guard table.entries.count == 1, let node = table["value"] else {
            throw TextMistake(reason: "is more than one value of TOML")
        }
        return node.value
    }
}

extension String {
    fileprivate var trimmingBlanks: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let end = lastIndex { !isBlank($0) }.map { index(after: $0) } ?? startIndex
        return String(self[..<end].drop(while: isBlank))
    }
}
