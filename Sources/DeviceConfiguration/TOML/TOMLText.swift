/// Writes TOML 1.0.
package enum TOMLText {
    /// A value on one line, as it stands behind "key = ".
    package static func value(_ value: TOMLValue) -> String {
        switch value {
        case .string(let text): string(text)
        case .integer(let number): "\(number)"
        case .float(let number): float(number)
        case .boolean(let truth): "\(truth)"
        case .array(let elements): "[" + elements.map { self.value($0.value) }.joined(separator: ", ") + "]"
        case .table(let table):
            table.entries.isEmpty
                ? "{}"
                : "{ " + table.entries.map { "\(key($0.key)) = \(self.value($0.node.value))" }.joined(separator: ", ")
                    + " }"
        // No setting has one, and the parser keeps nothing of it.
        case .date, .time, .dateTime: "\"\""
        }
    }

    /// A basic string.
    package static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += #"\""#
            case "\\": result += #"\\"#
            case "\n": result += #"\n"#
            case "\t": result += #"\t"#
            case "\r": result += #"\r"#
            default:
                if scalar.isUnprintable {
                    let digits = String(scalar.value, radix: 16, uppercase: true)
                    let width = digits.count <= 4 ? 4 : 8
                    result += width == 4 ? #"\u"# : #"\U"#
                    result += String(repeating: "0", count: width - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    /// A key, bare where TOML allows that.
    package static func key(_ name: String) -> String {
        name.isBareKey ? name : string(name)
    }

    private static func float(_ number: Double) -> String {
        guard number.isFinite else { return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf" }
        return "\(number)"
    }
}

extension TOMLValue {
    /// A duration as a setting takes it; what is below a millisecond is dropped.
    package static func duration(_ duration: Duration) -> TOMLValue { .string(DurationText.render(duration)) }

    /// An array of strings.
    package static func strings(_ texts: [String]) -> TOMLValue {
        .array(texts.map { TOMLNode(value: .string($0)) })
    }

    /// A table, its keys in this order.
    package static func table(_ entries: [(key: String, value: TOMLValue)]) -> TOMLValue {
        .table(
            TOMLTable(
                entries: entries.map {
                    TOMLTable.Entry(key: $0.key, keyPosition: .none, node: TOMLNode(value: $0.value))
                }))
    }
}

extension TOMLNode {
    /// A value that stands in no text.
    package init(value: TOMLValue) {
        self.init(position: .none, value: value)
    }
}
