import NIOSSL
import Synchronization

/// The certificate for new connections. Replaced while the service runs.
final class TLSContexts: Sendable {
    private let current: Mutex<NIOSSLContext>

    init(_ files: CertificateFiles) throws { current = Mutex(try Self.context(files)) }

    var context: NIOSSLContext { current.withLock { $0 } }

    func replace(by files: CertificateFiles) throws {
        let context = try Self.context(files)
        current.withLock { $0 = context }
    }

    private static func context(_ files: CertificateFiles) throws -> NIOSSLContext {
        do {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMBytes(Array(files.chain.utf8)).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(files.key.utf8), format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw CentralError(
                .certificate,
                "the certificate or its key cannot be used (\(error)): both have to be PEM, and belong together")
        }
    }
}
