import ControlProtocol
import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    static func json(_ value: some JSONConvertible, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: value.json.serialised())))
    }

    static var noContent: Response { Response(status: .noContent) }
}

extension Request {
    /// The whole content, if it is not more than that.
    func content(upTo limit: Int) async throws -> ByteBuffer {
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit { throw Problem.tooLarge(limit) }
        do {
            return try await body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw Problem.tooLarge(limit)
        }
    }
}

extension ByteBuffer {
    /// The content as a value.
    func decoded<Value: JSONConvertible>(as type: Value.Type = Value.self, limits: JSONLimits = .request) throws
        -> Value
    {
        do {
            return try withUnsafeReadableBytes { (bytes) throws in
                try Value(json: JSONValue.parse(UnsafeRawBufferPointer(bytes), limits: limits))
            }
        } catch let error as JSONError {
            throw Problem.invalid(error.description)
        }
    }
}
