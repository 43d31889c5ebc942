import CentralStore
import ControlProtocol
import FleetAPI
import HTTPTypes
import Hummingbird
import NIOCore

extension Central {
    /// A device's request, when it is of a device that may ask for this.
    struct DeviceRequest {
        let device: DeviceIdentity
        let content: ByteBuffer
    }

    /// Reads the content and judges the signature.
    /// - Parameter limit: of the content, in bytes.
    /// - Throws: `Problem` for whatever the device has to be told.
    func check(_ request: Request, upTo limit: Int) async throws -> DeviceRequest {
        // Who comes without a known name has no megabyte to spend.
        guard let name = RequestSignature.claimedKeyID(request), let device = registry[name] else {
            throw refusal(.unknownDevice, "it is not enrolled here, or was deleted: enrol it (holdfast enrol TOKEN)")
        }
        let content = try await request.content(upTo: limit)
        let signature = try RequestSignature(request, content: content)
        guard signature.keyID == device.id, signature.isValid(for: device.publicKey) else {
            throw refusal(.signature, "the signature is not of this device's key over this request")
        }
        try judge(signature, key: UInt64(device.id, radix: 16) ?? 0)
        // Not before: nobody else uses up what a device may send.
        if let seconds = registry.admit(device.id, at: clock.now()) {
            metrics.countRefusal("rate")
            throw Problem(
                .tooManyRequests, .tooManyRequests, "Too many requests", "one device may not send that many",
                retryAfter: seconds)
        }
        switch device.state {
        case .enrolled: return DeviceRequest(device: device, content: content)
        case .pending:
            throw Problem(
                .pending, .forbidden, "The device is not approved yet",
                "an operator has to approve it (holdfast fleet device approve \(device.id))")
        case .revoked:
            throw Problem(
                .revoked, .forbidden, "The device was revoked", "an operator has to enrol it again with a new token")
        }
    }

    /// Judges time and nonce of a signature that was verified.
    func judge(_ signature: RequestSignature, key: UInt64) throws {
        let now = clock.seconds
        guard abs(signature.created.subtractingReportingOverflow(now).partialValue) <= NonceMemory.window,
            signature.created >= startedAt
        else {
            metrics.countRefusal("clock")
            throw Problem(
                .clock, .unauthorized, "The clock is off",
                "created is \(signature.created), and has to be within \(NonceMemory.window) s of central's \(now)"
                    + " and not from before its start: sign again by central's time",
                more: ["time_ms": .int(clock.now())])
        }
        guard nonces.take(signature.nonce, key: key, created: signature.created, now: now) else {
            throw refusal(.replayed, "this nonce was used before: sign again with a new one")
        }
    }

    func refusal(_ kind: ProblemDetails.Kind, _ detail: String) -> Problem {
        metrics.countRefusal(kind.name)
        return Problem(kind, .unauthorized, "The request is not taken", detail)
    }
}
