import CentralStore
import ControlProtocol
import Crypto
import FleetAPI
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

extension Central {
    private static let longestName = 128

    /// `POST /enrol`
    func enrol(_ request: Request, _ context: CentralContext) async throws -> Response {
        try admitStranger(request, context)
        let content = try await request.content(upTo: RequestLimits.enrolment)
        let signature = try RequestSignature(request, content: content)
        let enrolment: EnrolmentRequest = try content.decoded(
            limits: .init(maximumBytes: RequestLimits.enrolment, maximumDepth: 8))
        guard let key = Base64.url.decode(enrolment.publicKey), key.count == 32,
            signature.keyID == SignatureBase.keyID(publicKey: key)
        else { throw Problem.invalid("public_key has to be 32 bytes in base64url, and keyid 'key:' with the same") }
        guard signature.isValid(for: key) else {
            throw refusal(.signature, "the signature is not of this key over this request")
        }
        try judge(signature, key: key.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
        guard let secret = Base64.url.decode(enrolment.secret), secret.count == 32 else {
            throw Problem(
                .enrolmentRefused, .forbidden, "The device may not enrol", "the secret is not 32 bytes in base64url")
        }
        let device = try await store.enrol(
            Enrolment(
                id: Self.deviceID(of: key), publicKey: key, secretHash: Array(SHA256.hash(data: secret)),
                name: try Self.checked(name: enrolment.name), facts: enrolment.facts),
            at: clock.now())
        registry.put(device.identity)
        _ = registry.admit(device.identity.id, at: clock.now())
        logger.info(
            "a device has enrolled",
            metadata: [
                "device": "\(device.identity.id)", "name": "\(device.name)", "state": "\(device.identity.state)",
            ])
        publish(device)
        let isEnrolled = device.identity.state == .enrolled
        return .json(
            EnrolmentReply(device: device.identity.id, state: isEnrolled ? .enrolled : .pending, time: clock.now()),
            status: isEnrolled ? .ok : .accepted)
    }

    /// By the first key: the same device gets the same id again, even from a central that has forgotten it.
    static func deviceID(of key: [UInt8]) -> String {
        SHA256.hash(data: key).prefix(8).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    static func checked(name: String) throws -> String {
        guard (1...longestName).contains(name.utf8.count), !name.unicodeScalars.contains(where: { $0.value < 0x20 })
        else {
            throw Problem.invalid("name has to be text of 1 to \(longestName) bytes without control characters")
        }
        return name
    }

    /// `POST /device/key`
    func changeKey(_ request: Request, _ context: CentralContext) async throws -> Response {
        let checked = try await check(request, upTo: RequestLimits.enrolment)
        let change: KeyChangeRequest = try checked.content.decoded()
        guard let key = Base64.url.decode(change.publicKey), key.count == 32,
            let proof = Base64.url.decode(change.proof),
            let verifier = try? Curve25519.Signing.PublicKey(rawRepresentation: key),
            verifier.isValidSignature(proof, for: checked.device.publicKey)
        else {
            throw Problem.invalid(
                "public_key has to be 32 bytes in base64url, and proof that key's signature over the 32 bytes of the old one"
            )
        }
        try await store.setKey(key, of: checked.device.id)
        var identity = checked.device
        identity.publicKey = key
        registry.put(identity)
        logger.notice("a device has changed its key", metadata: ["device": "\(identity.id)"])
        return .json(EnrolmentReply(device: identity.id, state: .enrolled, time: clock.now()))
    }

    func publish(_ device: Device) {
        news.publish {
            [
                News(
                    topic: "device", device: device.identity.id,
                    body: [
                        "device": .string(device.identity.id), "name": .string(device.name),
                        "state": .string(device.identity.state.rawValue), "forked": .bool(device.isForked),
                    ])
            ]
        }
    }
}

/// `POST /device/key`.
private struct KeyChangeRequest: JSONConvertible {
    var publicKey: String
    var proof: String

    private enum Key: String { case publicKey = "public_key", proof }

    init(json: JSONValue) throws(JSONError) {
        publicKey = try json.required(Key.publicKey)
        proof = try json.required(Key.proof)
    }

    var json: JSONValue { .object([Key.publicKey: publicKey, .proof: proof]) }
}
