/// The keys that may sign for one role, and how many of them have to. A root has one for each top-level role; a delegation
/// of targets will have one, too.
package struct KeyRing: Equatable, Sendable {
    package let keyIDs: [KeyID]
    /// So many different keys have to sign.
    package let threshold: Int
    /// All keys that whoever delegates knows, of other roles too, to tell a foreign key from an unknown one.
    let keys: [KeyID: PublicKey]

    package init(keyIDs: [KeyID], threshold: Int, keys: [KeyID: PublicKey]) {
        self.keyIDs = keyIDs
        self.threshold = threshold
        self.keys = keys
    }

    /// What the root calls a key, where it may sign.
    package func keyID(of key: PublicKey) -> KeyID? {
        keyIDs.first { keys[$0]?.isSameKey(as: key) ?? false }
    }

    /// Counts different keys whose signature is good (specification, section 5.3.4 and the like).
    /// - Throws: why it is too few: what is wrong with the first signature that does not count.
    package func verify(_ envelope: SignedEnvelope) throws(TrustError) {
        var good: [PublicKey] = []
        var refusal: TrustError?
        for signature in envelope.signatures {
            do throws(TrustError) {
                let key = try key(for: signature, of: envelope)
                guard !good.contains(where: { $0.isSameKey(as: key) }) else {
                    throw TrustError(.repeatedKey, "one key has signed under two names; it counts once")
                }
                good.append(key)
            } catch {
                if error.code == .libraryUnavailable { throw error }
                refusal = refusal ?? error
            }
        }
        guard good.count < threshold else { return }
        if let refusal { throw refusal }
        guard !envelope.signatures.isEmpty else { throw TrustError(.noSignature, "it is not signed") }
        throw TrustError(
            .thresholdNotMet, "\(good.count) of the \(threshold) keys that have to sign have signed")
    }

    /// The key of a signature that is good.
    private func key(
        for signature: SignedEnvelope.Signature, of envelope: SignedEnvelope
    ) throws(TrustError) -> PublicKey {
        let name = String(signature.keyID.prefix(16))
        guard let key = keys[signature.keyID] else {
            throw TrustError(.unknownKey, "it is signed by the key \(name), which the root does not know")
        }
        guard keyIDs.contains(signature.keyID) else {
            throw TrustError(.foreignKey, "it is signed by the key \(name), which the root has for another role")
        }
        if case .unsupported(let keyType, let scheme) = key.algorithm {
            throw TrustError(
                .unsupportedAlgorithm,
                "the key \(name) is of type \(keyType) with scheme \(scheme); only ed25519 is used")
        }
        guard !signature.text.isEmpty else {
            throw TrustError(.emptySignature, "the signature of the key \(name) is empty")
        }
        guard let bytes = Hexadecimal.decode(signature.text), bytes.count == 64 else {
            throw TrustError(
                .malformedSignature, "the signature of the key \(name) is not 64 bytes in hexadecimal digits")
        }
        guard try key.verifies(bytes, of: envelope.signedBytes) else {
            throw TrustError(.wrongSignature, "the signature of the key \(name) is wrong: something was changed since")
        }
        return key
    }
}
