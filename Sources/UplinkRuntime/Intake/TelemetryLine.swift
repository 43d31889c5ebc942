import ControlProtocol

/// One line of a worker's telemetry, read (docs/telemetry.md).
enum TelemetryLine: Equatable {
    /// - Parameter time: in milliseconds since 1970, where the worker says it.
    case reading(values: JSONObject, time: Int64?)
    case event(name: String, data: JSONObject, time: Int64?)

    /// Of a datagram, and so of a line, in bytes.
    static let largestDatagram = 64 * 1024
    static let mostValues = 64
    /// In bytes.
    static let longestText = 256
    static let longestName = 128
    static let largestEventData = 16 * 1024
    private static let limits = JSONLimits(maximumBytes: largestDatagram, maximumDepth: 8)

    /// - Parameter line: without its line break.
    init(_ line: UnsafeRawBufferPointer) throws(TelemetryFault) {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue.parse(line, limits: Self.limits)
        } catch {
            throw TelemetryFault(.malformed, "\(error)")
        }
        guard case .object(let object) = json else {
            throw TelemetryFault(.malformed, "found \(json.kindInWords), not an object")
        }
        let time = try object["time"].map { value throws(TelemetryFault) in try Self.time(value) }
        if let event = object["event"] {
            self = try Self.event(event, object, time)
        } else {
            self = .reading(values: try Self.values(of: object), time: time)
        }
    }

    // MARK: Readings

    private static func values(of object: JSONObject) throws(TelemetryFault) -> JSONObject {
        var values: [JSONObject.Member] = []
        if case .string(let name)? = object["name"], case .object(let parts)? = object["values"] {
            for part in parts.members where try isValue(part.value) {
                values.append(JSONObject.Member(key: try checked("\(name).\(part.key)"), value: part.value))
            }
        } else if case .string(let name)? = object["name"], let value = object["value"] {
            guard try isValue(value) else {
                throw TelemetryFault(.malformed, "value is \(value.kindInWords), not a number, a text, true or false")
            }
            values = [JSONObject.Member(key: try checked(name), value: value)]
        } else {
            for member in object.members where member.key != "time" {
                guard try isValue(member.value) else { continue }
                values.append(JSONObject.Member(key: try checked(member.key), value: member.value))
            }
        }
        guard !values.isEmpty else { throw TelemetryFault(.malformed, "there is no value in it") }
        guard values.count <= mostValues else {
            throw TelemetryFault(.tooLarge, "\(values.count) values are more than the \(mostValues) allowed")
        }
        return JSONObject(values)
    }

    private static func isValue(_ value: JSONValue) throws(TelemetryFault) -> Bool {
        switch value {
        case .bool, .int, .double: return true
        case .string(let text):
            guard text.utf8.count <= longestText else {
                throw TelemetryFault(.tooLarge, "a text of \(text.utf8.count) bytes; \(longestText) are allowed")
            }
            return true
        case .null, .array, .object: return false
        }
    }

    private static func checked(_ name: String) throws(TelemetryFault) -> String {
        guard !name.isEmpty else { throw TelemetryFault(.malformed, "a name is empty") }
        guard name.utf8.count <= longestName else {
            throw TelemetryFault(.tooLarge, "a name of \(name.utf8.count) bytes; \(longestName) are allowed")
        }
        return name
    }

    // MARK: Events

    private static func event(
        _ event: JSONValue, _ object: JSONObject, _ time: Int64?
    ) throws(TelemetryFault) -> TelemetryLine {
        guard case .string(let name) = event else {
            throw TelemetryFault(.malformed, "event is \(event.kindInWords), not a text")
        }
        let data = JSONObject(object.members.filter { $0.key != "event" && $0.key != "time" })
        // What it takes as it was sent is at most what the datagram has; written anew it may be more.
        let size = JSONValue.object(data).serialised().count
        guard size <= largestEventData else {
            throw TelemetryFault(.tooLarge, "an event with \(size) bytes of data; \(largestEventData) are allowed")
        }
        return .event(name: try checked(name), data: data, time: time)
    }

    // MARK: Time

    private static func time(_ value: JSONValue) throws(TelemetryFault) -> Int64 {
        let milliseconds: Int64? =
            switch value {
            case .int(let number): number
            case .double(let number): Int64(exactly: number.rounded(.towardZero))
            case .string(let text): InternetTime.milliseconds(text)
            case .null, .bool, .array, .object: nil
            }
        guard let milliseconds, (0..<InternetTime.end).contains(milliseconds) else {
            throw TelemetryFault(
                .malformed, "time is neither milliseconds since 1970 nor a text such as 2026-01-31T12:00:00Z")
        }
        return milliseconds
    }
}

/// Why something a worker has sent is not taken in.
struct TelemetryFault: Error, Equatable {
    enum Reason: String, CaseIterable {
        /// No JSON object, or none that means anything.
        case malformed
        case tooLarge = "too-large"
        /// More than `telemetry_rate`.
        case rate
        /// The spool refuses more, or the disk takes nothing.
        case full
    }

    var reason: Reason
    /// For a person.
    var message: String

    init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
