package import ControlProtocol

/// What the uplink says of downloads.
package enum DownloadReport: Equatable, Sendable {
    /// So many bytes are in the file now. At most a few a second.
    case progress(id: Int, bytes: Int)
    /// It is tried again, and why the last try has failed.
    case retrying(id: Int, message: String)
    /// The last report of a download. - failure: `nil` when the file is as long as it has to be.
    case ended(id: Int, DownloadFailure?)
    /// From a newer uplink.
    case unknown(type: String)
}

package struct DownloadFailure: Equatable, Sendable, Error {
    package enum Code: String, CaseIterable, Sendable {
        /// The device is not enrolled, or has no libcurl: no try can help.
        case unavailable
        /// Central does not have it.
        case notFound = "not-found"
        /// Central, or whoever answers in its name, sent more than was asked for, or something else.
        case wrong
        /// The time was over; nobody answered, or it was too slow.
        case tooLate = "too-late"
        /// The file cannot be written: the disk is full or broken.
        case storage
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension DownloadReport: JSONConvertible {
    private enum Key: String { case type, id, bytes, code, message }

    package init(json: JSONValue) throws(JSONError) {
        let type: String = try json.required(Key.type)
        switch type {
        case "progress": self = .progress(id: try json.required(Key.id), bytes: try json.required(Key.bytes))
        case "retrying": self = .retrying(id: try json.required(Key.id), message: try json.required(Key.message))
        case "ended":
            let id: Int = try json.required(Key.id)
            guard let name: String = try json.optional(Key.code) else {
                self = .ended(id: id, nil)
                return
            }
            let code = DownloadFailure.Code(rawValue: name) ?? .unavailable
            self = .ended(id: id, DownloadFailure(code, try json.required(Key.message)))
        default: self = .unknown(type: type)
        }
    }

    package var json: JSONValue {
        switch self {
        case .progress(let id, let bytes): .object([Key.type: "progress", .id: id, .bytes: bytes])
        case .retrying(let id, let message): .object([Key.type: "retrying", .id: id, .message: message])
        case .ended(let id, let failure):
            .object([Key.type: "ended", .id: id, .code: failure?.code.rawValue, .message: failure?.message])
        case .unknown(let type): .object([Key.type: type])
        }
    }
}
