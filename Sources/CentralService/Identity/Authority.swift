import Crypto
import FleetAPI
import Foundation
import SwiftASN1
import X509

/// Central's own certificate authority, made on first start. Devices pin its key, so that it can be neither bought nor
/// forged; its certificate outlives them, its server certificate is renewed without anybody.
struct Authority {
    private static let commonName = "Holdfast central"
    /// Some 30 years, for there is nobody to renew a pin on devices in the field.
    private static let lifetime: TimeInterval = 10_950 * 86400
    private static let serverLifetime: TimeInterval = 397 * 86400
    /// Renewed when less than this is left.
    private static let renewal: TimeInterval = 60 * 86400

    private let folder: String
    private let certificate: Certificate
    private let key: Certificate.PrivateKey

    /// Reads it, or makes it.
    /// - Parameter folder: exists, and is only central's.
    init(folder: String) throws {
        self.folder = folder
        let keyFile = SecretFile(path: folder + "/ca.key")
        let certificateFile = SecretFile(path: folder + "/ca.pem")
        if let keyText = try keyFile.read(), let text = try certificateFile.read() {
            do {
                key = try Certificate.PrivateKey(pemEncoded: keyText)
                certificate = try Certificate(pemEncoded: text)
            } catch {
                throw CentralError(
                    .certificate,
                    "\(folder)/ca.key or ca.pem is damaged (\(error)): restore both from a backup. Without them every "
                        + "device has to be enrolled again")
            }
            return
        }
        let secret = P256.Signing.PrivateKey()
        let key = Certificate.PrivateKey(secret)
        let name = try DistinguishedName { CommonName(Self.commonName) }
        certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key.publicKey,
            notValidBefore: Date(timeIntervalSinceNow: -86400),
            notValidAfter: Date(timeIntervalSinceNow: Self.lifetime),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
            },
            issuerPrivateKey: key)
        self.key = key
        // The key last: when it is there, both are.
        try certificateFile.write(try certificate.serializeAsPEM().pemString + "\n", mode: 0o644)
        try keyFile.write(secret.pemRepresentation + "\n", mode: 0o600)
    }

    /// SHA-256 of its SubjectPublicKeyInfo.
    var pin: [UInt8] { get throws { try Self.pin(of: certificate) } }

    static func pin(of certificate: Certificate) throws -> [UInt8] {
        // The whole structure in DER; `subjectPublicKeyInfoBytes` are those of its bit string alone.
        let key = try certificate.publicKey.serializeAsPEM().derBytes
        return Array(SHA256.hash(data: key))
    }

    /// The server's certificate with this authority's behind it, and its key; a new one when the old one is not for all of
    /// these names, or soon too old.
    func serverCertificate(names: [String]) throws -> CertificateFiles {
        let keyFile = SecretFile(path: folder + "/server.key")
        let chainFile = SecretFile(path: folder + "/server.pem")
        if let keyText = try keyFile.read(), let text = try chainFile.read(),
            let server = try? Certificate(pemEncoded: text), isGood(server, for: names)
        {
            return CertificateFiles(chain: text, key: keyText)
        }
        let secret = P256.Signing.PrivateKey()
        let serverKey = Certificate.PrivateKey(secret)
        let server = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: serverKey.publicKey,
            notValidBefore: Date(timeIntervalSinceNow: -86400),
            notValidAfter: Date(timeIntervalSinceNow: Self.serverLifetime), issuer: certificate.subject,
            subject: try DistinguishedName { CommonName(names.first ?? Self.commonName) },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(names.map { Self.generalName($0) })
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier)
            },
            issuerPrivateKey: key)
        let chain =
            try server.serializeAsPEM().pemString + "\n" + certificate.serializeAsPEM().pemString + "\n"
        let files = CertificateFiles(chain: chain, key: secret.pemRepresentation + "\n")
        try keyFile.write(files.key, mode: 0o600)
        try chainFile.write(files.chain, mode: 0o644)
        return files
    }

    private func isGood(_ server: Certificate, for names: [String]) -> Bool {
        guard server.issuer == certificate.subject, key.publicKey.isValidSignature(server.signature, for: server),
            server.notValidAfter.timeIntervalSinceNow > Self.renewal,
            let alternatives = try? server.extensions.subjectAlternativeNames
        else { return false }
        return Set(names.map { Self.generalName($0) }).isSubset(of: Set(alternatives))
    }

    private static func generalName(_ name: String) -> GeneralName {
        if let address = IPAddressBytes(name) { return .ipAddress(ASN1OctetString(contentBytes: address.bytes[...])) }
        return .dnsName(name)
    }
}

/// A certificate with what signed it, and its key, both in PEM.
struct CertificateFiles: Equatable, Sendable {
    /// The server's own comes first.
    var chain: String
    var key: String
}
