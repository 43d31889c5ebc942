import ControlProtocol
import FleetAPI
import HTTPTypes
import HummingbirdCore
import NIOCore

/// An error that is the answer.
struct Problem: Error, Sendable {
    var details: ProblemDetails
    var headers: HTTPFields = [:]

    init(
        _ kind: ProblemDetails.Kind, _ status: HTTPResponse.Status, _ title: String, _ detail: String,
        more: JSONObject = [:], retryAfter: Int? = nil
    ) {
        details = ProblemDetails(kind, status: status.code, title: title, detail: detail, more: more)
        if let retryAfter { headers[.retryAfter] = String(retryAfter) }
    }

    var response: Response {
        var headers = headers
        headers[.contentType] = ProblemDetails.contentType
        return Response(
            status: .init(code: details.status), headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: details.json.serialised())))
    }

    static func invalid(_ detail: String) -> Problem {
        Problem(.invalid, .badRequest, "The request is not valid", detail)
    }

    static func notFound(_ detail: String) -> Problem {
        Problem(.notFound, .notFound, "There is no such thing", detail)
    }

    static func tooLarge(_ limit: Int) -> Problem {
        Problem(
            .tooLarge, .contentTooLarge, "The content is too large",
            "at most \(limit) bytes are taken: send less at once")
    }

    static var closing: Problem {
        Problem(
            .unavailable, .serviceUnavailable, "Central is stopping", "try again in a moment",
            retryAfter: .random(in: 1...10))
    }
}
