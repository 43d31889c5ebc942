import FleetAPI
import HTTPTypes
import Hummingbird
import NIOCore

extension Central {
    private static let pieceSize: Int64 = 128 << 10
    /// A client that takes no piece for so long is cut off.
    private static let pieceTime: TimeAmount = .seconds(120)
    private static let cacheControl = "public, max-age=31536000, immutable"

    /// `GET /content/{sha256}`, `HEAD /content/{sha256}`: for anybody who knows the hash, and for caches in between.
    func giveContent(_ request: Request, _ context: CentralContext) async throws -> Response {
        let sha256 = try context.parameters.require("sha256")
        guard ContentFolder.isHash(sha256),
            let file = try await ContentFolder.run({ [content] in try content.open(sha256) })
        else {
            // Who guesses is slowed down; who knows is not.
            try admitStranger(request, context)
            throw Problem.notFound("there is no content with this hash")
        }
        let size = try file.size()
        let tag = EntityTag(sha256: sha256)
        var headers: HTTPFields = [
            .eTag: tag.text, .acceptRanges: "bytes", .cacheControl: Self.cacheControl,
        ]
        guard !tag.isNamed(in: request.headers[.ifNoneMatch]) else {
            // Of what is not sent, as for HEAD (RFC 9110, section 8.6).
            headers[.contentLength] = String(size)
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = "application/octet-stream"
        guard request.method == .get else {
            headers[.contentLength] = String(size)
            return Response(status: .ok, headers: headers)
        }
        // A range of something else than this would be joined to what it does not belong to.
        let isSame = request.headers[.ifRange].map { $0 == tag.text } ?? true
        switch ByteRange(isSame ? request.headers[.range] : nil, size: size) {
        case .whole:
            return Response(status: .ok, headers: headers, body: Self.body(file, 0..<size, context.channel))
        case .part(let range):
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
            return Response(
                status: .partialContent, headers: headers, body: Self.body(file, range, context.channel))
        case .unsatisfiable:
            var problem = Problem(
                .range, .rangeNotSatisfiable, "There are no such bytes", "it has \(size) bytes")
            problem.headers[.contentRange] = "bytes */\(size)"
            throw problem
        }
    }

    /// Reads the next piece when the last one is on its way.
    private static func body(_ file: ContentFile, _ range: Range<Int64>, _ channel: any Channel) -> ResponseBody {
        ResponseBody(contentLength: Int(range.count)) { writer in
            var offset = range.lowerBound
            while offset < range.upperBound {
                let (place, count) = (offset, Int(min(pieceSize, range.upperBound - offset)))
                let piece = try await ContentFolder.run { try file.read(count, at: place) }
                let deadline = channel.eventLoop.scheduleTask(in: pieceTime) { channel.close(promise: nil) }
                defer { deadline.cancel() }
                try await writer.write(piece)
                // The writer waits for the socket. Where TLS is slower than the disk, pieces would gather before the event
                // loop, so wait until it has taken this one.
                try await channel.eventLoop.submit {}.get()
                offset += Int64(count)
            }
            try await writer.finish(nil)
        }
    }
}
