import ControlProtocol

/// What an operator gives a device so that it can enrol: `hf1.` and base64url of JSON (docs/fleet-protocol.md).
package struct EnrolmentToken: Equatable, Sendable {
    /// Scheme, host and port of central, without a path.
    package var url: String
    /// One or two SHA-256 of keys, one of which has to be in the chain that central presents.
    package var pins: [[UInt8]]
    /// 32 bytes.
    package var secret: [UInt8]

    private static let prefix = "hf1."
    private enum Key: String { case url, pins, secret }

    package init(url: String, pins: [[UInt8]], secret: [UInt8]) {
        self.url = url
        self.pins = pins
        self.secret = secret
    }

    package var text: String {
        PastedText.write(
            Self.prefix,
            .object([Key.url: url, .pins: pins.map { Base64.url.encode($0) }, .secret: Base64.url.encode(secret)]))
    }

    /// - Throws: what is wrong with the text, in words for the person who pasted it.
    package init(_ text: String) throws(FleetError) {
        self = try PastedText.read(
            Self.prefix, text, what: "enrolment token", source: "holdfast-central token create --enrol"
        ) { json throws(JSONError) in
            let url: String = try json.required(Key.url)
            guard let pins = PastedText.pins(try json.required(Key.pins)),
                let secret = Base64.url.decode(try json.required(Key.secret) as String), secret.count == 32,
                url.hasPrefix("https://")
            else { return nil }
            return EnrolmentToken(url: url, pins: pins, secret: secret)
        }
    }
}
