import ControlProtocol

/// What all metadata begin with (specification, section 4.2).
package struct MetadataHeader: Equatable, Sendable {
    /// The role: "root", "targets".
    package var type: String
    /// Counts up by one with each change.
    package var version: Int
    package var expires: ExpiryTime

    /// The specification that is written here.
    static let specification = "1.0.31"

    enum Key: String, CaseIterable { case type = "_type", specification = "spec_version", version, expires }

    package init(type: String, version: Int, expires: ExpiryTime) {
        self.type = type
        self.version = version
        self.expires = expires
    }

    init(json: JSONValue, type wanted: String) throws(TrustError) {
        let specification: String
        let text: String
        do throws(JSONError) {
            type = try json.required(Key.type)
            specification = try json.required(Key.specification)
            version = try json.required(Key.version)
            text = try json.required(Key.expires)
        } catch {
            throw TrustError(error)
        }
        guard type == wanted else { throw TrustError(.wrongType, "it is \(type) metadata, and \(wanted) is needed") }
        guard specification.hasPrefix("1.") else {
            throw TrustError(
                .unsupportedVersion, "it follows version \(specification) of the specification; 1.x is known")
        }
        guard version >= 1 else { throw TrustError(.invalidValue, "its version is \(version); the first one is 1") }
        guard let time = ExpiryTime(text) else {
            throw TrustError(.invalidValue, "expires: \(text) is no time like 2030-01-31T00:00:00Z")
        }
        expires = time
    }

    var members: [JSONObject.Member] {
        [
            JSONObject.Member(key: Key.type.rawValue, value: .string(type)),
            JSONObject.Member(key: Key.specification.rawValue, value: .string(Self.specification)),
            JSONObject.Member(key: Key.version.rawValue, value: version.json),
            JSONObject.Member(key: Key.expires.rawValue, value: .string(expires.description)),
        ]
    }

    /// - Parameter now: the earliest that it can be; `nil` where nobody knows, and then nothing expires.
    package func checkExpiry(at now: ExpiryTime?) throws(TrustError) {
        guard let now, now >= expires else { return }
        throw TrustError(.expired, "the \(type) metadata expired at \(expires); get newer ones signed")
    }
}
