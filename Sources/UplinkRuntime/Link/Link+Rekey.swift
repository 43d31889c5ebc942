import ControlProtocol
import Delivery
import FleetAPI
import LinuxSystem
import MonotonicTime

/// Another key in the place of the device's, which keeps its id.
extension Link {
    private enum Key: String { case publicKey = "public_key", proof }

    private static var mostAttempts: Int { 5 }

    /// - Parameter completion: with what went wrong, for a person, or `nil`.
    func changeKey(_ completion: @escaping (_ problem: String?) -> Void) {
        do throws(SystemError) {
            guard let old = identity.key, let new = try identity.prepareNextKey(),
                let proof = new.signature(of: old.publicKey)
            else { return completion("there is no key to change yet") }
            let request: JSONValue = .object([
                Key.publicKey: Base64.url.encode(new.publicKey), .proof: Base64.url.encode(proof),
            ])
            sendKey(request.serialised(), new.publicKey, attempt: 1, completion)
        } catch {
            completion("the new key cannot be kept: \(error)")
        }
    }

    private func sendKey(
        _ body: [UInt8], _ new: [UInt8], attempt: Int, _ completion: @escaping (_ problem: String?) -> Void
    ) {
        // While the answer to an earlier attempt was lost, another request has found out that central took it.
        if identity.key?.publicKey == new { return completion(nil) }
        send("POST", "/device/key", body: body, timeout: .seconds(60)) { [weak self] result in
            guard let self else { return }
            let outcome = judge(result)
            if outcome == .succeeded {
                do throws(SystemError) {
                    try identity.takeNextKey()
                    return completion(nil)
                } catch {
                    return completion("the new key cannot be kept: \(error)")
                }
            }
            let isWorthwhile = [.failed, .toBeSignedAgain].contains(outcome)
            guard isWorthwhile, attempt < Self.mostAttempts else {
                return completion(lastFailure ?? "central does not take it")
            }
            let pause = Backoff.delay(failures: attempt, using: &jitter)
            loop.schedule(at: loop.now + pause) { [weak self] in
                self?.sendKey(body, new, attempt: attempt + 1, completion)
            }
        }
    }
}
