extension SettingType<String> {
    /// An address that leads to this machine whatever happens to its network.
    static let loopbackAddress = SettingType(
        allowed: "an address of 127.0.0.0/8, or \"::1\"", write: { .string($0) }
    ) { value throws(TextMistake) in
        let text = try value.text()
        guard text == "::1" || isLoopback(text) else {
            throw TextMistake(reason: "\(text.quoted) is no loopback address")
        }
        return text
    }

    private static func isLoopback(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "127" else { return false }
        return parts.allSatisfy { part in
            // Leading zeros mean octal to some programs.
            (1...3).contains(part.utf8.count) && part.allSatisfy { $0.isASCII && $0.isNumber } && UInt8(part) != nil
                && (part.count == 1 || part.first != "0")
        }
    }

    /// The target of a request (RFC 9112, section 3.2.1), with its query if there is one.
    static let urlPath = SettingType(
        allowed: "a path such as \"/health\", percent-encoded", write: { .string($0) }
    ) { value throws(TextMistake) in
        let text = try value.text()
        guard text.hasPrefix("/") else { throw TextMistake(reason: "\(text.quoted) does not begin with a slash") }
        guard text.utf8.count <= 1024 else { throw TextMistake(reason: "has more than 1024 bytes") }
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "#") }) else {
            throw TextMistake(reason: "\(text.quoted) has characters that have to be percent-encoded")
        }
        return text
    }
}

extension SettingType<ClosedRange<Int>> {
    /// Status codes of HTTP: one, or from one to another.
    static let httpStatuses = SettingType(
        allowed: "a status such as \"200\", or a range such as \"200-299\", from 100 to 599",
        write: { .string($0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)") }
    ) { value throws(TextMistake) in
        let text = try value.text()
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        let codes = ends.compactMap { $0.utf8.count == 3 ? UInt16($0).map(Int.init) : nil }
        guard codes.count == ends.count, (1...2).contains(codes.count), let first = codes.first, let last = codes.last,
            first <= last, codes.allSatisfy({ (100...599).contains($0) })
        else { throw TextMistake(reason: "\(text.quoted) is no status of HTTP") }
        return first...last
    }
}
