import ControlProtocol
import FleetAPI
import HTTPTypes
import Hummingbird
import NIOCore

extension Central {
    /// `GET /stream`: server-sent events (HTML standard, section 9.2) of what happens from now on.
    func stream(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let query = QueryReader(request)
        let topics = try query.text("topics").map { Set($0.split(separator: ",").map(String.init)) }
        let device = try query.text("device")
        guard let news = news.listen() else {
            throw Problem(
                .unavailable, .serviceUnavailable, "Too many listen already",
                "at most \(NewsStream.listenersLimit) at once", retryAfter: 30)
        }
        let body = ResponseBody { writer in
            try await writer.write(ByteBuffer(string: ": listening\n\n"))
            for await item in news {
                guard item.topic != News.keepAlive else {
                    try await writer.write(ByteBuffer(string: ":\n\n"))
                    continue
                }
                guard topics?.contains(item.topic) ?? true, device == nil || device == item.device else { continue }
                try await writer.write(ByteBuffer(bytes: item.text))
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }
}

extension News {
    /// Says nothing, so that dead connections are noticed.
    static let keepAlive = "keep-alive"

    /// JSON has no line breaks, so it is one line of data.
    fileprivate var text: [UInt8] {
        let data: JSONObject = ["device": device.map { .string($0) } ?? .null, "body": .object(body)]
        return Array("event: \(topic)\ndata: ".utf8) + JSONValue.object(data).serialised() + Array("\n\n".utf8)
    }
}
