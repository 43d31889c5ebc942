/// Which bytes of a thing a request is for, by its `Range` (RFC 9110, section 14.2).
enum ByteRange: Equatable {
    /// No range, or one that may be ignored: several at once, another unit, or what is none.
    case whole
    case part(Range<Int64>)
    /// It begins behind the end.
    case unsatisfiable

    /// - Parameter size: of the whole thing, in bytes.
    init(_ field: String?, size: Int64) {
        self = .whole
        guard let field else { return }
        let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].lowercased() == "bytes" else { return }
        let ends = parts[1].split(separator: "-", omittingEmptySubsequences: false).map { text in
            String(text.filter { $0 != " " && $0 != "\t" })
        }
        guard ends.count == 2 else { return }
        switch (Self.number(ends[0]), Self.number(ends[1])) {
        case (let first?, let last?) where first <= last:
            self = first < size ? .part(first..<min(last, size - 1) + 1) : .unsatisfiable
        case (let first?, nil) where ends[1].isEmpty:
            self = first < size ? .part(first..<size) : .unsatisfiable
        case (nil, let count?) where ends[0].isEmpty:
            self = count > 0 && size > 0 ? .part(max(0, size - count)..<size) : .unsatisfiable
        default: return
        }
    }

    /// Digits only; what is larger than any file counts as the largest number.
    private static func number(_ text: String) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return min(Int64(text) ?? .max, 1 << 62)
    }
}

/// A strong entity tag (RFC 9110, section 8.8.3).
struct EntityTag: Equatable {
    let text: String

    /// - Parameter sha256: in hexadecimal digits, of the bytes that it stands for.
    init(sha256: String) { text = "\"\(sha256)\"" }

    /// Whether `If-None-Match` names it, or anything.
    func isNamed(in field: String?) -> Bool {
        guard let field else { return false }
        return field.split(separator: ",").contains { part in
            let part = part.filter { $0 != " " && $0 != "\t" }
            return part == "*" || part == text || part == "W/" + text
        }
    }
}
