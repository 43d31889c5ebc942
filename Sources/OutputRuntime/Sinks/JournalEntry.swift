/// One entry for the journal: fields "NAME=value" one after another in one buffer, which is used again for the next.
struct JournalEntry {
    /// As many as the writer takes.
    static let maximumFields = 16

    private(set) var bytes: [UInt8] = []
    /// Where each field ends; the first begins at 0.
    private(set) var ends: [Int] = []

    /// Adds a field, unless there is no room for more.
    mutating func add(_ name: StaticString, _ value: some Collection<UInt8>) {
        guard ends.count < JournalEntry.maximumFields else { return }
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "="))
        bytes.append(contentsOf: value)
        ends.append(bytes.count)
    }

    mutating func add(_ name: StaticString, number value: some FixedWidthInteger) {
        add(name, String(value).utf8)
    }

    mutating func add(_ name: StaticString, text value: String) {
        add(name, value.utf8)
    }

    /// Keeps the first fields only.
    mutating func keep(fields count: Int) {
        guard count < ends.count else { return }
        ends.removeSubrange(count...)
        bytes.removeSubrange((ends.last ?? 0)...)
    }

    /// The fields as text, for tests and messages.
    var fields: [String] {
        var start = 0
        return ends.map { end in
            defer { start = end }
            return String(decoding: bytes[start..<end], as: UTF8.self)
        }
    }
}
