import Supervision

/// The rule for names of workers and supervisors: they become file names, journal fields and arguments.
package enum ChildName {
    package static let allowed =
        "1 to 64 letters, digits, \".\", \"_\" and \"-\", the first a letter or digit"

    static func isWellFormed(_ name: String) -> Bool {
        guard let first = name.utf8.first, isAlphanumeric(first), name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy {
            isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
    }

    /// The text itself if it is a name, else one that is made of it; `nil` when nothing in it can be part of a name.
    package static func nearest(to text: String) -> String? {
        if isWellFormed(text) { return text }
        let mapped = text.utf8.map { byte in
            isAlphanumeric(byte) || ".-_".utf8.contains(byte) ? byte : UInt8(ascii: "-")
        }
        // What is not ASCII has several bytes, and becomes one "-".
        var name: [UInt8] = []
        for byte in mapped where byte != UInt8(ascii: "-") || name.last != byte { name.append(byte) }
        let trimmed = name.drop { !isAlphanumeric($0) }.prefix(60)
        let result = String(decoding: trimmed, as: UTF8.self)
        guard !result.isEmpty else { return nil }
        return result
    }

    /// Whether the name belongs to a built-in supervisor or to one of Holdfast's own processes, which are workers, too.
    package static func isReserved(_ name: String) -> Bool {
        name == SupervisorSpecification.rootName || name == SupervisorSpecification.systemName
            || name.hasPrefix("holdfast-")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
