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
        let json: JSONValue = .object([
            Key.url: url, .pins: pins.map { Base64.url.encode($0) }, .secret: Base64.url.encode(secret),
        ])
        return Self.prefix + Base64.url.encode(json.serialised())
    }

    /// - Throws: what is wrong with the text, in words for the person who pasted it.
    package init(_ text: String) throws(FleetError) {
        guard text.hasPrefix(Self.prefix) else {
            throw FleetError(
                .invalidToken,
                "this is no enrolment token: one begins with \(Self.prefix) (holdfast-central token create)")
        }
        let cut = FleetError(
            .invalidToken,
            "the enrolment token is damaged: a part is missing or was changed; copy it whole, without spaces")
        guard let bytes = Base64.url.decode(text.dropFirst(Self.prefix.count)) else { throw cut }
        let (url, pins, secret): (String, [String], String)
        do throws(JSONError) {
            let json = try JSONValue.parse(bytes)
            (url, pins, secret) = (
                try json.required(Key.url), try json.required(Key.pins), try json.required(Key.secret)
            )
        } catch {
            throw cut
        }
        let hashes = pins.compactMap { Base64.url.decode($0) }.filter { $0.count == 32 }
        guard let secret = Base64.url.decode(secret), secret.count == 32, hashes.count == pins.count,
            (1...2).contains(hashes.count), url.hasPrefix("https://")
        else { throw cut }
        self.init(url: url, pins: hashes, secret: secret)
    }
}
