import ControlProtocol
import FleetAPI

/// What the file `enrolment.json` says: with whom the device is enrolled, or wants to be.
struct Enrolment: Equatable {
    /// A central that knows the device.
    struct Current: Equatable {
        var url: String
        var pins: [[UInt8]]
        /// 16 hexadecimal digits.
        var device: String
    }

    var current: Current?
    /// A token that is not used up yet.
    var next: EnrolmentToken?
    /// The latest time that central has told, in milliseconds since 1970.
    var floor: Int64 = 0
    /// What an operator has set; they go before those of the configuration.
    var labels: JSONObject = [:]
}

extension Enrolment: JSONConvertible {
    private enum Key: String { case current, next, url, pins, device, secret, labels, floor = "floor_ms" }

    init(json: JSONValue) throws(JSONError) {
        if let value: JSONValue = try json.optional(Key.current) {
            current = Current(
                url: try value.required(Key.url), pins: try Self.pins(value), device: try value.required(Key.device))
        }
        if let value: JSONValue = try json.optional(Key.next) {
            let text: String = try value.required(Key.secret)
            next = EnrolmentToken(
                url: try value.required(Key.url), pins: try Self.pins(value), secret: Base64.url.decode(text) ?? [])
        }
        floor = Int64(try json.optional(Key.floor) ?? 0 as Int)
        labels = try json.optional(Key.labels) ?? [:]
    }

    private static func pins(_ json: JSONValue) throws(JSONError) -> [[UInt8]] {
        (try json.required(Key.pins) as [String]).compactMap { Base64.url.decode($0) }.filter { $0.count == 32 }
    }

    var json: JSONValue {
        let current = current.map { current -> JSONValue in
            .object([
                Key.url: current.url, .pins: current.pins.map { Base64.url.encode($0) }, .device: current.device,
            ])
        }
        let next = next.map { next -> JSONValue in
            .object([
                Key.url: next.url, .pins: next.pins.map { Base64.url.encode($0) },
                .secret: Base64.url.encode(next.secret),
            ])
        }
        return .object([Key.current: current, .next: next, .floor: Int(floor), .labels: labels])
    }
}
