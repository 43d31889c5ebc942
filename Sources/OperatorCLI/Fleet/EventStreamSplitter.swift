/// Takes a stream of server-sent events apart (HTML standard, section 9.2.6), as far as central uses them: an event's name,
/// and data on one line.
struct EventStreamSplitter {
    /// Whether anything has come yet.
    var hasBegun = false
    private var rest: [UInt8] = []
    private var topic = ""
    private var data: [UInt8] = []

    /// - Returns: the events that are complete now.
    mutating func take(_ bytes: some Sequence<UInt8>) -> [(topic: String, data: [UInt8])] {
        rest += bytes
        var events: [(topic: String, data: [UInt8])] = []
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = Array(rest[..<end])
            rest.removeFirst(end + 1)
            if line.isEmpty {
                if !data.isEmpty { events.append((topic, data)) }
                (topic, data) = ("", [])
            } else if let value = Self.value("event", line) {
                topic = String(decoding: value, as: UTF8.self)
            } else if let value = Self.value("data", line) {
                data += value
            }
        }
        return events
    }

    private static func value(_ name: String, _ line: [UInt8]) -> ArraySlice<UInt8>? {
        guard line.starts(with: Array((name + ":").utf8)) else { return nil }
        let value = line.dropFirst(name.utf8.count + 1)
        return value.first == UInt8(ascii: " ") ? value.dropFirst() : value
    }
}
