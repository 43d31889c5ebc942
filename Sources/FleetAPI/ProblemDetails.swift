package import ControlProtocol

/// An error as central answers it (RFC 9457).
package struct ProblemDetails: Equatable, Sendable {
    /// `application/problem+json`.
    package static let contentType = "application/problem+json"
    private static let prefix = "urn:holdfast:problem:"

    /// Stable; open.
    package struct Kind: Hashable, Sendable {
        package var name: String

        package init(_ name: String) { self.name = name }

        // To devices.
        package static let clock = Kind("clock")
        package static let replayed = Kind("replayed")
        package static let signature = Kind("signature")
        package static let unknownDevice = Kind("unknown-device")
        package static let revoked = Kind("revoked")
        package static let pending = Kind("pending")
        package static let enrolmentRefused = Kind("enrolment-refused")
        package static let sequence = Kind("sequence")
        package static let batch = Kind("batch")
        // To all.
        package static let invalid = Kind("invalid")
        package static let notFound = Kind("not-found")
        package static let unauthorized = Kind("unauthorized")
        package static let forbidden = Kind("forbidden")
        package static let conflict = Kind("conflict")
        package static let tooLarge = Kind("too-large")
        package static let tooManyRequests = Kind("too-many-requests")
        package static let unavailable = Kind("unavailable")
        /// Bytes are asked for that are not there.
        package static let range = Kind("range")
        // To operators.
        /// An upload goes on elsewhere; `offset` says where.
        package static let offset = Kind("offset")
        /// What was uploaded is not what was announced, or no bundle.
        package static let content = Kind("content")
        /// Metadata that are not signed as they have to be.
        package static let untrusted = Kind("untrusted")
        package static let noSpace = Kind("no-space")
        package static let internalError = Kind("internal")
    }

    package var kind: Kind
    package var status: Int
    package var title: String
    /// What to do about it, for a person.
    package var detail: String
    /// Members of this kind of problem, such as `acknowledged`.
    package var more: JSONObject

    package init(_ kind: Kind, status: Int, title: String, detail: String, more: JSONObject = [:]) {
        self.kind = kind
        self.status = status
        self.title = title
        self.detail = detail
        self.more = more
    }
}

extension ProblemDetails: JSONConvertible {
    private enum Key: String, CaseIterable { case type, status, title, detail }

    package init(json: JSONValue) throws(JSONError) {
        let type: String = try json.required(Key.type)
        kind = Kind(type.hasPrefix(Self.prefix) ? String(type.dropFirst(Self.prefix.count)) : type)
        status = try json.optional(Key.status) ?? 0
        title = try json.optional(Key.title) ?? ""
        detail = try json.optional(Key.detail) ?? ""
        var rest = json.objectValue ?? [:]
        for key in Key.allCases { rest[key.rawValue] = nil }
        more = rest
    }

    package var json: JSONValue {
        var object: JSONObject = [
            Key.type.rawValue: .string(Self.prefix + kind.name), Key.title.rawValue: .string(title),
            Key.status.rawValue: .int(Int64(status)), Key.detail.rawValue: .string(detail),
        ]
        for member in more.members { object[member.key] = member.value }
        return .object(object)
    }
}
