import CentralStore
import ControlProtocol
import FleetAPI
import HTTPTypes

/// For which devices an operator wants something done.
enum FleetTarget: Equatable, JSONConvertible {
    case devices([String])
    case selector(String)
    case all

    static let mostDevices = 10_000

    private enum Key: String { case devices, selector, all }

    init(json: JSONValue) throws(JSONError) {
        let devices: [String]? = try json.optional(Key.devices)
        let selector: String? = try json.optional(Key.selector)
        let isForAll: Bool = try json.optional(Key.all) ?? false
        switch (devices, selector, isForAll) {
        case (let devices?, nil, false):
            guard (1...Self.mostDevices).contains(devices.count), Set(devices).count == devices.count else {
                throw JSONError(.wrongType, at: "devices", "must be 1 to \(Self.mostDevices) different ids")
            }
            self = .devices(devices)
        case (nil, let selector?, false) where !selector.isEmpty: self = .selector(selector)
        case (nil, nil, true): self = .all
        default:
            throw JSONError(.missing, "say for whom, in one way: devices (ids), selector (labels), or all: true")
        }
    }

    var json: JSONValue {
        switch self {
        case .devices(let ids): .object([Key.devices: ids])
        case .selector(let text): .object([Key.selector: text])
        case .all: .object([Key.all: true])
        }
    }

    /// For people.
    var words: String {
        switch self {
        case .devices(let ids): ids.count == 1 ? ids[0] : "\(ids.count) devices"
        case .selector(let text): text
        case .all: "all"
        }
    }
}

extension Central {
    /// Every device that is meant is looked at: that it exists, and belongs to the fleet.
    func resolve(_ target: FleetTarget) async throws -> [DeviceIdentity] {
        switch target {
        case .devices(let ids):
            return try ids.map { id in
                guard let device = registry[id] else { throw Problem.notFound("there is no device \(id)") }
                guard device.state == .enrolled else {
                    throw Problem(
                        .conflict, .conflict, "It cannot be so", "the device \(id) is \(device.state.rawValue)")
                }
                return device
            }
        case .selector, .all:
            var filter = DeviceFilter(states: [.enrolled], limit: FleetTarget.mostDevices + 1)
            if case .selector(let text) = target { filter.labels = try LabelRequirement.parse(text) }
            let devices = try await store.devices(filter)
            guard !devices.isEmpty else { throw Problem.notFound("no enrolled device matches") }
            guard devices.count <= FleetTarget.mostDevices else {
                throw Problem.invalid("more than \(FleetTarget.mostDevices) devices match: narrow the selector down")
            }
            return devices.map(\.identity)
        }
    }

    /// A UUID in lower case, of the operator's own, so that a request can be sent again.
    static func isUUID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.utf8.count) == [8, 4, 4, 4, 12]
            && parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } }
    }
}
