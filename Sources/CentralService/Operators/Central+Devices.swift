import CentralStore
import ControlProtocol
import FleetAPI
import HTTPTypes
import Hummingbird
import Logging

extension Central {
    /// Whether a device is there.
    struct Presence {
        /// It waits for commands at this moment.
        var isConnected: Bool
        /// That, or it was heard of a moment ago.
        var isOnline: Bool
        var lastSeen: Int64?
    }

    private static let onlineFor: Int64 = 120_000
    private static let mostLabels = 64

    func presence(_ device: Device) -> Presence {
        let seen = [registry.lastSeen(device.identity.id), device.lastSeen].compactMap { $0 }.max()
        let isConnected = room.isWaiting(device.identity.number)
        let isOnline = isConnected || seen.map { clock.now() - $0 < Self.onlineFor } ?? false
        return Presence(isConnected: isConnected, isOnline: isOnline, lastSeen: seen)
    }

    private func view(_ device: Device) -> JSONValue { View.device(device, presence: presence(device)) }

    /// `GET /devices`
    func listDevices(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let query = QueryReader(request)
        let limit = try query.limit(standard: 100, most: 1000)
        var filter = DeviceFilter(
            name: try query.text("name"),
            labels: try LabelRequirement.parse(try query.text("selector", limit: 1024) ?? ""),
            isForked: try query.flag("forked"), after: try query.text("after"), limit: limit)
        if let text = try query.text("state") {
            guard let state = DeviceState(rawValue: text) else {
                throw Problem.invalid("state has to be pending, enrolled or revoked")
            }
            filter.states = [state]
        }
        let isOnline = try query.flag("online")
        var found: [Device] = []
        var isComplete = false
        // Who is online the store does not know: look through pages until there are enough.
        while found.count < limit, !isComplete {
            let page = try await store.devices(filter)
            isComplete = page.count < limit
            filter.after = page.last?.identity.id
            found += page.filter { device in isOnline.map { presence(device).isOnline == $0 } ?? true }
        }
        let isMore = found.count > limit || !isComplete
        let shown = found.prefix(limit)
        return .json(
            View.page(
                "devices", shown.map(view),
                next: isMore ? shown.last.map { .string($0.identity.id) } ?? .null : .null))
    }

    /// The device of the path.
    func device(_ context: CentralContext) async throws -> Device {
        let id = try context.parameters.require("id")
        guard let device = try await store.device(id) else { throw Problem.notFound("there is no device \(id)") }
        return device
    }

    /// `GET /devices/{id}`
    func showDevice(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        .json(view(try await device(context)))
    }

    /// `PATCH /devices/{id}`
    func changeDevice(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let id = try await device(context).identity.id
        let json: JSONValue = try await request.content(upTo: RequestLimits.operatorRequest).decoded()
        var change = DeviceChange()
        if let name = json["name"] {
            guard let name = name.stringValue else { throw Problem.invalid("name has to be text") }
            change.name = try Self.checked(name: name)
        }
        if let labels = json["labels"] { change.labels = try Self.checked(labels: labels) }
        if let isForked = json["forked"] {
            guard isForked == .bool(false) else { throw Problem.invalid("forked can only be set to false") }
            change.clearsFork = true
        }
        let device = try await store.update(id, change)
        try await note(who, "device.change", id, json.text)
        // The device learns of its labels with the next heartbeat.
        publish(device)
        return .json(view(device))
    }

    private static func checked(labels: JSONValue) throws -> JSONObject {
        guard let object = labels.objectValue, object.members.count <= mostLabels,
            object.members.allSatisfy({ member in
                (1...128).contains(member.key.utf8.count) && !member.key.contains { ",=!".contains($0) }
                    && (member.value.stringValue.map { $0.utf8.count <= 256 } ?? false)
            })
        else {
            throw Problem.invalid(
                "labels have to be an object of \(mostLabels) texts at most: keys of 1 to 128 bytes without , = and !, values of 256 bytes at most"
            )
        }
        return object
    }

    /// `POST /devices/{id}/approve`
    func approveDevice(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let device = try await device(context)
        guard device.identity.state != .revoked else {
            throw Problem(
                .conflict, .conflict, "It cannot be so",
                "the device was revoked: it has to enrol again with a new token")
        }
        return try await set(.enrolled, device, who, "device.approve")
    }

    /// `POST /devices/{id}/revoke`
    func revokeDevice(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        try await set(.revoked, try await device(context), who, "device.revoke")
    }

    private func set(_ state: DeviceState, _ device: Device, _ who: Operator, _ action: String) async throws -> Response
    {
        var device = device
        try await store.setState(state, of: device.identity.id)
        device.identity.state = state
        registry.put(device.identity)
        if state == .revoked { room.dismiss(device.identity.number) }
        try await note(who, action, device.identity.id)
        publish(device)
        return .json(view(device))
    }

    /// `DELETE /devices/{id}`
    func deleteDevice(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let device = try await device(context)
        registry.remove(device.identity.id)
        room.dismiss(device.identity.number)
        try await store.delete(device.identity.id)
        try await note(who, "device.delete", device.identity.id, device.name)
        return .noContent
    }
}
