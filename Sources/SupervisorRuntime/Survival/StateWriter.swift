import ControlProtocol
import MonotonicTime
import Supervision

/// Writes the members of one JSON object as text; what is not there is left out, and so is what is false. Straight into
/// bytes: the state is written at every death of a worker, while its replacement waits.
struct StateWriter {
    private var bytes: [UInt8]

    init() {
        bytes = []
        bytes.reserveCapacity(256)
        bytes.append(UInt8(ascii: "{"))
    }

    /// The whole object.
    var object: [UInt8] { bytes + [UInt8(ascii: "}")] }

    mutating func add(_ key: StaticString, _ value: Int64) {
        begin(key)
        Self.append(value, to: &bytes)
    }

    mutating func add(_ key: StaticString, _ value: UInt64) { add(key, Int64(bitPattern: value)) }

    mutating func add(_ key: StaticString, _ value: String?) {
        guard let value else { return }
        begin(key)
        JSONValue.append(quoted: value, to: &bytes)
    }

    mutating func add(_ key: StaticString, _ value: Bool) {
        guard value else { return }
        begin(key)
        bytes.append(contentsOf: "true".utf8)
    }

    mutating func add(_ key: StaticString, _ value: MonotonicInstant?) {
        if let value { add(key, value.nanoseconds) }
    }

    mutating func add(_ key: StaticString, _ value: Duration?) {
        if let value { add(key, value.wholeNanoseconds) }
    }

    mutating func add(_ key: StaticString, object: [UInt8]) {
        begin(key)
        bytes.append(contentsOf: object)
    }

    mutating func add(_ key: StaticString, objects: [[UInt8]]) {
        addList(key, objects) { $0.append(contentsOf: $1) }
    }

    mutating func add(_ key: StaticString, texts: [String]) {
        addList(key, texts) { JSONValue.append(quoted: $1, to: &$0) }
    }

    /// Pairs of a child's name and an instant: there may be thousands within one window.
    mutating func add(_ key: StaticString, _ restarts: [SupervisorRecord.Restart]) {
        addList(key, restarts) { bytes, restart in
            bytes.append(UInt8(ascii: "["))
            JSONValue.append(quoted: restart.child, to: &bytes)
            bytes.append(UInt8(ascii: ","))
            Self.append(restart.at.nanoseconds, to: &bytes)
            bytes.append(UInt8(ascii: "]"))
        }
    }

    private mutating func addList<Element>(
        _ key: StaticString, _ elements: [Element], _ append: (inout [UInt8], Element) -> Void
    ) {
        guard !elements.isEmpty else { return }
        begin(key)
        var separator = UInt8(ascii: "[")
        for element in elements {
            bytes.append(separator)
            append(&bytes, element)
            separator = UInt8(ascii: ",")
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func begin(_ key: StaticString) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        key.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: "\":".utf8)
    }

    private static func append(_ value: Int64, to bytes: inout [UInt8]) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }
}
