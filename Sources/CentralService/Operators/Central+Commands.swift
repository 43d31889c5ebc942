import CentralStore
import ControlProtocol
import FleetAPI
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

extension Central {
    /// `POST /commands`
    func createCommand(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let limit = RequestLimits.operatorRequest
        let draft: CommandDraft = try await request.content(upTo: limit).decoded(
            limits: .init(maximumBytes: limit, maximumDepth: 16))
        if let id = draft.id, let known = try await store.command(id) {
            // Sent again because the answer was lost.
            guard known.kind == draft.kind, known.payload == draft.payload, known.target == draft.target.words else {
                throw Problem(.conflict, .conflict, "It cannot be so", "another command has the id \(id)")
            }
            return .json(View.command(known, progress: try await store.progress(of: id)))
        }
        let devices = try await resolve(draft.target)
        let now = clock.now()
        let command = StoredCommand(
            id: draft.id ?? UUID().uuidString.lowercased(), kind: draft.kind, payload: draft.payload, createdAt: now,
            expiresAt: draft.expiresIn.map { now + Int64($0 * 1000) }, createdBy: who.name,
            target: draft.target.words)
        _ = try await store.add(command, for: devices.map(\.id))
        room.notify(devices.map(\.number))
        try await note(who, "command.create", command.id, "\(command.kind) for \(command.target)")
        news.publish {
            [
                News(
                    topic: "command", device: nil,
                    body: ["id": .string(command.id), "kind": .string(command.kind), "state": "queued"])
            ]
        }
        let stored = try await store.command(command.id) ?? command
        return .json(
            View.command(stored, progress: try await store.progress(of: command.id)), status: .created)
    }

    /// `GET /commands`
    func listCommands(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let query = QueryReader(request)
        let filter = CommandFilter(
            device: try query.text("device"), kind: try query.text("kind"), before: try query.text("before"),
            limit: try query.limit(standard: 100, most: 1000))
        let commands = try await store.commands(filter)
        let next = commands.count == filter.limit ? commands.last.map { JSONValue.string($0.id) } : nil
        return .json(View.page("commands", commands.map { View.command($0) }, next: next ?? .null))
    }

    private func command(_ context: CentralContext) async throws -> StoredCommand {
        let id = try context.parameters.require("id")
        guard let command = try await store.command(id) else { throw Problem.notFound("there is no command \(id)") }
        return command
    }

    /// `GET /commands/{id}`
    func showCommand(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let command = try await command(context)
        return .json(View.command(command, progress: try await store.progress(of: command.id)))
    }

    /// `POST /commands/{id}/cancel`
    func cancelCommand(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let id = try await command(context).id
        let count = try await store.cancel(id, at: clock.now())
        try await note(who, "command.cancel", id, "on \(count) devices")
        return .json(View.command(try await command(context), progress: try await store.progress(of: id)))
    }

    /// `GET /commands/{id}/devices/{device}/attachment`
    func attachment(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let command = try await command(context)
        let device = try context.parameters.require("device")
        guard let bytes = try await store.attachment(of: command.id, from: device) else {
            throw Problem.notFound("the device \(device) has sent nothing with this command")
        }
        // To be saved, never to be shown: what is in it comes from a device.
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/gzip", .contentDisposition: "attachment; filename=\"\(device).json.gz\"",
            ], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
