package import CentralStore
import Crypto
import FleetAPI
import SwiftASN1
import X509

/// What devices trust central by: its certificate, and what they pin.
package struct Trust: Sendable {
    /// The settings under which `serve` leaves what `token create` puts into tokens.
    private static let urlKey = "url"
    private static let pinsKey = "pins"

    private let source: Source

    private enum Source: Sendable {
        case own(folder: String, names: [String])
        /// The operator's own, as files.
        case given(chain: String, key: String)
    }

    /// Central's own authority.
    package init(folder: String, names: [String]) { source = .own(folder: folder, names: names) }

    /// A certificate that somebody else has issued.
    package init(chain: String, key: String) { source = .given(chain: chain, key: key) }

    /// As they are now. May make a new certificate.
    func files() throws -> CertificateFiles {
        switch source {
        case .own(let folder, let names): return try Authority(folder: folder).serverCertificate(names: names)
        case .given(let chain, let key):
            guard let chainText = try SecretFile(path: chain).read() else {
                throw CentralError(.certificate, "there is no file \(chain) (--certificate)")
            }
            guard let keyText = try SecretFile(path: key).read() else {
                throw CentralError(.certificate, "there is no file \(key) (--key)")
            }
            return CertificateFiles(chain: chainText, key: keyText)
        }
    }

    /// What goes into tokens: the last certificate of the chain changes the least.
    package func pins() throws -> [[UInt8]] {
        switch source {
        case .own(let folder, _): return [try Authority(folder: folder).pin]
        case .given(let chain, _): return [try Self.pin(ofChain: chain)]
        }
    }

    /// - Parameter path: of a PEM file with a chain.
    package static func pin(ofChain path: String) throws -> [UInt8] {
        guard let text = try SecretFile(path: path).read() else {
            throw CentralError(.certificate, "there is no file \(path)")
        }
        let marks = "-----BEGIN CERTIFICATE-----"
        guard let last = text.split(separator: marks).last else {
            throw CentralError(.certificate, "there is no certificate in \(path)")
        }
        do {
            return try Authority.pin(of: try Certificate(pemEncoded: marks + last))
        } catch {
            throw CentralError(.certificate, "the last certificate in \(path) cannot be read: \(error)")
        }
    }

    /// Leaves word for `token create`, which may run in another process.
    package static func publish(url: String, pins: [[UInt8]], in store: some CentralStore) async throws {
        try await store.set(urlKey, to: url)
        try await store.set(pinsKey, to: pins.map { Base64.url.encode($0) }.joined(separator: " "))
    }

    /// - Returns: `nil` when `serve` has never run.
    package static func published(in store: some CentralStore) async throws -> (url: String, pins: [[UInt8]])? {
        guard let url = try await store.setting(urlKey), let pins = try await store.setting(pinsKey) else { return nil }
        return (url, pins.split(separator: " ").compactMap { Base64.url.decode($0) })
    }
}
