package import ControlProtocol

/// What an operator's program needs to ask central: where it is, how to know it, and a bearer token. As a text it is `hfl1.` and
/// base64url of JSON.
package struct OperatorLogin: Equatable, Sendable {
    /// Scheme, host and port of central, without a path.
    package var url: String
    /// One or two SHA-256 of keys, one of which has to be in the chain that central presents.
    package var pins: [[UInt8]]
    /// As in `Authorization: Bearer`.
    package var token: String

    private static let prefix = "hfl1."
    private enum Key: String { case url, pins, token }

    package init(url: String, pins: [[UInt8]], token: String) {
        self.url = url
        self.pins = pins
        self.token = token
    }

    package var json: JSONValue {
        .object([Key.url: url, .pins: pins.map { Base64.url.encode($0) }, .token: token])
    }

    /// - Returns: `nil` when it is none.
    package init?(json: JSONValue) {
        guard let url = json[Key.url.rawValue]?.stringValue, url.hasPrefix("https://"),
            let texts = json[Key.pins.rawValue]?.arrayValue,
            let pins = PastedText.pins(texts.compactMap(\.stringValue)),
            let token = json[Key.token.rawValue]?.stringValue, !token.isEmpty
        else { return nil }
        self.init(url: url, pins: pins, token: token)
    }

    package var text: String { PastedText.write(Self.prefix, json) }

    /// - Throws: what is wrong with the text, in words for the person who pasted it.
    package init(_ text: String) throws(FleetError) {
        self = try PastedText.read(
            Self.prefix, text, what: "login", source: "holdfast-central token create --operator NAME"
        ) { OperatorLogin(json: $0) }
    }
}
