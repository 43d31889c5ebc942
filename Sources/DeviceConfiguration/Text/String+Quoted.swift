extension String {
    /// What messages show of a text that an operator wrote: in quotes, on one line, at most 60 characters of it.
    var quoted: String {
        let shown = String(unicodeScalars.prefix(60))
        return "\"\(shown.printable)\"" + (shown.unicodeScalars.count < unicodeScalars.count ? "..." : "")
    }

    /// The text with control characters written as in TOML, so that a message stays on one line and cannot steer a
    /// terminal.
    var printable: String {
        var result = ""
        for scalar in unicodeScalars {
            if scalar.isUnprintable {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// The text as a part of a key path: bare where TOML allows that, else quoted.
    var asKeyPart: String { isBareKey && utf8.count <= 64 ? self : quoted }

    /// Whether TOML takes the text as a key without quotes.
    var isBareKey: Bool {
        !isEmpty
            && utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

extension Unicode.Scalar {
    /// Whether it ends a line or could steer a terminal.
    var isUnprintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
