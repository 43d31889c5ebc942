extension String {
    /// This text with everything made visible that could move a cursor, change a colour, or reorder or break a line:
    /// what workers print must not speak to the operator's terminal.
    var escapedForTerminal: String {
        guard unicodeScalars.contains(where: \.isHarmfulOnTerminal) else { return self }
        var escaped = ""
        for scalar in unicodeScalars {
            switch scalar {
            case _ where !scalar.isHarmfulOnTerminal: escaped.unicodeScalars.append(scalar)
            case "\n": escaped += #"\n"#
            case "\r": escaped += #"\r"#
            case "\t": escaped += #"\t"#
            default: escaped += #"\u{"# + String(scalar.value, radix: 16) + "}"
            }
        }
        return escaped
    }
}

extension Unicode.Scalar {
    /// Control characters (C0, DEL, C1), line and paragraph separators, and the marks that reorder text (Unicode
    /// Standard Annex 9; "Trojan Source", CVE-2021-42574).
    fileprivate var isHarmfulOnTerminal: Bool {
        switch value {
        case 0x00..<0x20, 0x7f..<0xa0: true
        case 0x061c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
