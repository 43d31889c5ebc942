package import ControlProtocol

/// The first line of a telemetry batch.
package struct BatchHeader: Equatable, Sendable, JSONConvertible {
    package enum Queue: String, CaseIterable, Sendable { case events, readings }

    /// 32 hexadecimal digits.
    package var spool: String
    package var queue: Queue
    /// All numbers of the batch: from 1 on, `last` included.
    package var first: UInt64
    package var last: UInt64
    /// CRC-32C of the record before the first, where the device still has it.
    package var after: UInt32?
    /// The device's clock as it is, in milliseconds since 1970.
    package var sent: Int64

    package init(spool: String, queue: Queue, first: UInt64, last: UInt64, after: UInt32?, sent: Int64) {
        self.spool = spool
        self.queue = queue
        self.first = first
        self.last = last
        self.after = after
        self.sent = sent
    }

    private enum Key: String { case spool, queue, first, last, after, sent = "sent_ms" }

    package init(json: JSONValue) throws(JSONError) {
        spool = try json.required(Key.spool)
        guard spool.utf8.count == 32, spool.utf8.allSatisfy({ Self.hexDigits.contains($0) }) else {
            throw JSONError(.wrongType, at: Key.spool.rawValue, "must be 32 hexadecimal digits in lower case")
        }
        let name: String = try json.required(Key.queue)
        guard let queue = Queue(rawValue: name) else {
            throw JSONError(.wrongType, at: Key.queue.rawValue, "must be 'events' or 'readings'")
        }
        self.queue = queue
        let (first, last): (Int, Int) = (try json.required(Key.first), try json.required(Key.last))
        guard first >= 1, last >= first, last <= Self.highest else {
            throw JSONError(.wrongType, at: Key.first.rawValue, "must be 1 at least, and 'last' no less")
        }
        (self.first, self.last) = (UInt64(first), UInt64(last))
        if let text = try json.optional(Key.after) as String? {
            guard text.utf8.count == 8, let value = UInt32(text, radix: 16) else {
                throw JSONError(.wrongType, at: Key.after.rawValue, "must be 8 hexadecimal digits")
            }
            after = value
        }
        sent = Int64(try json.required(Key.sent) as Int)
    }

    package var json: JSONValue {
        var object: JSONObject = [
            Key.spool.rawValue: .string(spool), Key.queue.rawValue: .string(queue.rawValue),
            Key.first.rawValue: .int(Int64(first)), Key.last.rawValue: .int(Int64(last)),
        ]
        if let after {
            let digits = String(after, radix: 16)
            object[Key.after.rawValue] = .string(String(repeating: "0", count: 8 - digits.count) + digits)
        }
        object[Key.sent.rawValue] = .int(sent)
        return .object(object)
    }

    /// What a JSON number holds in every language.
    private static let highest = 1 << 53
    private static let hexDigits = Set("0123456789abcdef".utf8)
}

/// What a batch may be at most.
package enum BatchLimits {
    package static let compressedBytes = 1 << 20
    package static let bytes = 8 << 20
    package static let lines = 10_000
}
