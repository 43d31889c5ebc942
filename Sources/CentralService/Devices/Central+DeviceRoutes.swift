import CentralStore
import ControlProtocol
import FleetAPI
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

extension Central {
    /// For devices (docs/fleet-protocol.md).
    var deviceRoutes: [Route] {
        [
            Route(.post, "/api/v1/enrol", enrol),
            Route(.post, "/api/v1/device/key", changeKey),
            Route(.post, "/api/v1/device/telemetry", takeTelemetry),
            Route(.get, "/api/v1/device/commands", giveCommands),
            Route(.put, "/api/v1/device/commands/{id}/attachment", takeAttachment),
            Route(.post, "/api/v1/device/heartbeat", takeHeartbeat),
            Route(.get, "/api/v1/device/metadata/{name}", giveMetadata),
            Route(.get, "/api/v1/content/{sha256}", giveContent),
            Route(.head, "/api/v1/content/{sha256}", giveContent),
        ]
    }

    /// `POST /device/telemetry`
    private func takeTelemetry(_ request: Request, _ context: CentralContext) async throws -> Response {
        let checked = try await check(request, upTo: BatchLimits.compressedBytes)
        let batch = try Self.batch(in: checked.content, request)
        let outcome = try await store.apply(batch, of: checked.device, at: clock.now())
        if outcome.isNewlyForked { noteFork(checked.device) }
        guard !outcome.isAhead else {
            throw Problem(
                .sequence, .conflict, "Something is missing in between",
                "the batch begins with \(batch.header.first), and \(outcome.acknowledged + 1) is next",
                more: ["acknowledged": .int(Int64(clamping: outcome.acknowledged))])
        }
        metrics.countBatch(records: outcome.applied, bytes: checked.content.readableBytes)
        if outcome.applied > 0, batch.header.queue == .events { publish(batch, checked.device) }
        await advance(Set(outcome.commands.compactMap(\.deployment)))
        return .json(JSONObject([.init(key: "acknowledged", value: .int(Int64(clamping: outcome.acknowledged)))]))
    }

    private static func batch(in content: ByteBuffer, _ request: Request) throws -> TelemetryBatch {
        do {
            let bytes: [UInt8]
            switch request.headers[.contentEncoding] {
            case "gzip":
                bytes = try content.withUnsafeReadableBytes { (packed) throws in
                    try Gzip.unpack(packed, limit: BatchLimits.bytes)
                }
            case nil, "identity": bytes = Array(buffer: content)
            default: throw Problem.invalid("Content-Encoding has to be gzip")
            }
            return try BatchReader.read(bytes)
        } catch Gzip.Failure.tooLarge {
            throw Problem.tooLarge(BatchLimits.bytes)
        } catch Gzip.Failure.damaged {
            throw badBatch(line: 0, "the content is not gzip, or not all of it")
        } catch let refusal as BatchReader.Refusal {
            throw badBatch(line: refusal.line, refusal.reason)
        } catch let error as FleetError {
            throw Problem(.tooLarge, .contentTooLarge, "The batch is too large", error.message)
        }
    }

    private static func badBatch(line: Int, _ reason: String) -> Problem {
        Problem(
            .batch, .badRequest, "The batch cannot be read", line > 0 ? "line \(line): \(reason)" : reason,
            more: ["line": .int(Int64(line))])
    }

    private func noteFork(_ device: DeviceIdentity) {
        logger.warning(
            "two devices have one identity: one of them is a copy, and has to be enrolled anew",
            metadata: ["device": "\(device.id)"])
        news.publish {
            [News(topic: "device", device: device.id, body: ["device": .string(device.id), "forked": true])]
        }
    }

    private func publish(_ batch: TelemetryBatch, _ device: DeviceIdentity) {
        news.publish {
            batch.events.map { event in
                let topic = event.kind == "incident" || event.kind == "command" ? event.kind : "event"
                return News(topic: topic, device: device.id, body: event.body)
            }
        }
    }

    /// `GET /device/commands`
    private func giveCommands(_ request: Request, _ context: CentralContext) async throws -> Response {
        let device = try await check(request, upTo: 0).device
        let parameters = request.uri.queryParameters
        let after = parameters["after"].flatMap { UInt64($0) } ?? 0
        let wait = min(parameters["wait"].flatMap { Int64($0) } ?? 0, Int64(settings.longestWait))
        let mark = room.mark()
        let orders = try await pending(device, after: after)
        guard orders.isEmpty, wait > 0 else { return try commands(orders, for: device) }
        let connection = context.connection
        return context.postpone(
            Postponed {
                await self.room.wait(device: device.number, since: mark, connection: connection, for: wait)
            } answer: { outcome in
                switch outcome {
                case .notified: try self.commands(try await self.pending(device, after: after), for: device)
                case .closing: throw Problem.closing
                case .timedOut, .replaced, .gone: try self.commands([], for: device)
                }
            })
    }

    private func commands(_ orders: [CommandOrder], for device: DeviceIdentity) throws -> Response {
        // It may have been revoked while it waited.
        guard registry[device.id]?.state == .enrolled else {
            throw Problem(
                .revoked, .forbidden, "The device was revoked", "an operator has to enrol it again with a new token")
        }
        guard !orders.isEmpty else { return .noContent }
        return .json(JSONObject([.init(key: "commands", value: orders.json)]))
    }

    private func pending(_ device: DeviceIdentity, after: UInt64) async throws -> [CommandOrder] {
        try await store.pending(for: device, after: after, at: clock.now(), limit: settings.commandsAtOnce)
    }

    /// `PUT /device/commands/{id}/attachment`
    private func takeAttachment(_ request: Request, _ context: CentralContext) async throws -> Response {
        let checked = try await check(request, upTo: RequestLimits.attachment)
        let id = try context.parameters.require("id")
        try await store.attach(Array(buffer: checked.content), to: id, of: checked.device)
        return .noContent
    }

    /// `POST /device/heartbeat`
    private func takeHeartbeat(_ request: Request, _ context: CentralContext) async throws -> Response {
        let checked = try await check(request, upTo: RequestLimits.heartbeat)
        let heartbeat: HeartbeatRequest = try checked.content.decoded(
            limits: .init(maximumBytes: RequestLimits.heartbeat, maximumDepth: 16))
        let outcome = try await store.record(heartbeat, of: checked.device, at: clock.now())
        if outcome.isNewlyForked { noteFork(checked.device) }
        let interval = settings.interval(devices: registry.count)
        return .json(
            HeartbeatReply(
                time: clock.now(), heartbeat: interval, poll: interval,
                drainBytesPerSecond: settings.drainBytesPerSecond, labels: outcome.labels,
                commandSequence: outcome.commandSequence))
    }
}
