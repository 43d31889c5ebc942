import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import X509

/// Where and how the service is reached.
package struct ServerSettings: Equatable, Sendable {
    /// A numeric address, or a name of this machine.
    package var host: String
    /// 0 for any that is free.
    package var port: Int
    /// What devices and operators call it by: the first goes into enrolment tokens. For its certificate.
    package var names: [String]
    /// Of the operator's own: the chain and the key as PEM files. `nil` for one of central's own authority.
    package var certificate: (chain: String, key: String)?
    /// A proxy on this machine or beside it does the TLS.
    package var isPlaintext = false

    package init(host: String, port: Int, names: [String]) {
        self.host = host
        self.port = port
        self.names = names
    }

    package static func == (a: ServerSettings, b: ServerSettings) -> Bool {
        a.host == b.host && a.port == b.port && a.names == b.names && a.isPlaintext == b.isPlaintext
            && a.certificate?.chain == b.certificate?.chain && a.certificate?.key == b.certificate?.key
    }
}

/// The service as it listens: connections, certificates, signals, care of the store.
package struct CentralServer {
    private let central: Central
    private let settings: ServerSettings
    private let trust: Trust
    private let tls: TLSContexts?

    /// - Parameter trust: has the certificate; its folder is central's data folder.
    package init(_ central: Central, _ settings: ServerSettings, trust: Trust) throws {
        self.central = central
        self.settings = settings
        self.trust = trust
        tls = settings.isPlaintext ? nil : try TLSContexts(try trust.files())
    }

    /// Serves until it is told to stop, by SIGTERM or SIGINT.
    /// - Parameter onListening: gets the port.
    package func run(onListening: @escaping @Sendable (Int) async -> Void) async throws {
        let central = self.central
        let tls = self.tls
        let connections = OpenConnections()
        let http = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGuard(room: central.room)],
            idleTimeout: .seconds(central.settings.idleSeconds),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 16 << 10, maxHeaderFieldCount: 64))
        let application = Application(
            responder: central.responder,
            server: HTTPServerBuilder { responder in
                ServerChannel(
                    tls: tls, http: HTTP1Channel(responder: responder, configuration: http), connections: connections)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), serverName: nil, backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(central.settings.largestConnectionCount)),
            services: [Care(central: central, tls: tls, trust: trust)],
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
            logger: central.logger)
        try await withTaskCancellationHandler {
            try await application.runService()
            await connections.drained()
        } onCancel: {
            connections.cancel()
        }
        try await central.flush()
    }
}
