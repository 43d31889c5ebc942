import Supervision

/// The rule for names of workers and supervisors: they become file names, journal fields and arguments.
enum ChildName {
    static let allowed =
        "1 to 64 letters, digits, \".\", \"_\" and \"-\", the first a letter or digit"

    static func isWellFormed(_ name: String) -> Bool {
        guard let first = name.utf8.first, isAlphanumeric(first), name.utf8.count <= 64 else { return false }
        return name.utf8.allSatisfy {
            isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
        }
    }

    /// Names that belong to the built-in supervisors.
    static let reserved = [SupervisorSpecification.rootName, SupervisorSpecification.systemName]

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
