import CentralStore
import ControlProtocol

/// What an operator wants done, and by whom.
struct CommandDraft: JSONConvertible {
    enum Target: Equatable {
        case devices([String])
        case selector(String)
        case all
    }

    static let mostDevices = 10_000
    private static let payloadBytes = 64 << 10

    /// A UUID of the operator's own, so that a request can be sent again.
    var id: String?
    var kind: String
    var payload: JSONObject
    var target: Target
    /// `nil` for never.
    var expiresIn: Double?

    private enum Key: String { case id, kind, payload, devices, selector, all, expiresIn = "expires_in_s" }

    init(json: JSONValue) throws(JSONError) {
        id = try json.optional(Key.id)
        if let id, !Self.isUUID(id) { throw JSONError(.wrongType, at: "id", "must be a UUID in lower case") }
        kind = try json.required(Key.kind)
        guard (1...64).contains(kind.utf8.count), kind.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw JSONError(.wrongType, at: "kind", "must be 1 to 64 letters, such as worker.restart")
        }
        payload = try json.optional(Key.payload) ?? [:]
        guard JSONValue.object(payload).serialised().count <= Self.payloadBytes else {
            throw JSONError(.tooLarge, at: "payload", "must be of \(Self.payloadBytes) bytes at most")
        }
        expiresIn = try json.optional(Key.expiresIn)
        if let expiresIn, !(expiresIn > 0 && expiresIn <= 31_536_000) {
            throw JSONError(.wrongType, at: "expires_in_s", "must be above 0, and a year at most")
        }
        let devices: [String]? = try json.optional(Key.devices)
        let selector: String? = try json.optional(Key.selector)
        let isForAll: Bool = try json.optional(Key.all) ?? false
        switch (devices, selector, isForAll) {
        case (let devices?, nil, false):
            guard (1...Self.mostDevices).contains(devices.count), Set(devices).count == devices.count else {
                throw JSONError(.wrongType, at: "devices", "must be 1 to \(Self.mostDevices) different ids")
            }
            target = .devices(devices)
        case (nil, let selector?, false) where !selector.isEmpty: target = .selector(selector)
        case (nil, nil, true): target = .all
        default:
            throw JSONError(.missing, "say for whom, in one way: devices (ids), selector (labels), or all: true")
        }
    }

    var json: JSONValue {
        var object: JSONObject = [
            Key.kind.rawValue: .string(kind), Key.payload.rawValue: .object(payload),
            Key.expiresIn.rawValue: expiresIn.json,
        ]
        if let id { object[Key.id.rawValue] = .string(id) }
        switch target {
        case .devices(let ids): object[Key.devices.rawValue] = ids.json
        case .selector(let text): object[Key.selector.rawValue] = .string(text)
        case .all: object[Key.all.rawValue] = true
        }
        return .object(object)
    }

    /// For people.
    var targetInWords: String {
        switch target {
        case .devices(let ids): ids.count == 1 ? ids[0] : "\(ids.count) devices"
        case .selector(let text): text
        case .all: "all"
        }
    }

    private static func isUUID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [8, 4, 4, 4, 12]
            && parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } }
    }
}
