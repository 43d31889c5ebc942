import ArgumentParser
import CentralService
import CentralStore
import Glibc
import Logging
import NIOPosix

/// `holdfast-central serve`
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve devices and operators until told to stop.")

    @OptionGroup var data: DataFolder

    @Option(help: ArgumentHelp("Where to listen.", valueName: "address:port"))
    var listen = Address(host: "0.0.0.0", port: 7443)

    @Option(
        help: ArgumentHelp(
            "What devices and operators call this machine by, with commas; the first goes into enrolment tokens. Default: its host name.",
            valueName: "names"))
    var host: String?

    @Option(help: ArgumentHelp("What goes into enrolment tokens, when it is not https://HOST:PORT.", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("A certificate of your own with what signed it, in PEM.", valueName: "file"))
    var certificate: String?

    @Option(help: ArgumentHelp("Its key, in PEM.", valueName: "file"))
    var key: String?

    @Option(
        name: .customLong("plaintext-behind-proxy"),
        help: ArgumentHelp(
            "Listen there without TLS, for a proxy that does it. Needs --url, and --certificate for the proxy's chain.",
            valueName: "address:port"))
    var proxied: Address?

    @Option(
        help: ArgumentHelp(
            "Delete telemetry, events and finished commands after so many days; 0 keeps them.", valueName: "days"))
    var retention = 90

    @Option(
        name: .customLong("max-size"),
        help: ArgumentHelp("Delete the oldest readings when the database is larger than that.", valueName: "MiB"))
    var largest: Int?

    @Option(
        name: .customLong("max-bundle"),
        help: ArgumentHelp("The largest bundle that can be uploaded.", valueName: "MiB"))
    var largestBundle = 16 << 10

    @Option(help: ArgumentHelp("Seconds between a device's heartbeats, in a small fleet.", valueName: "seconds"))
    var heartbeat: Double = 1500

    @Option(
        name: .customLong("drain-rate"),
        help: ArgumentHelp("Bytes a second that each device sends of old data; 0 is no bound.", valueName: "bytes"))
    var drainRate = 0

    @Option(
        name: .customLong("log-level"),
        help: ArgumentHelp("trace, debug, info, notice, warning or error.", valueName: "level"))
    var logLevel = "info"

    func validate() throws {
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError("--log-level: there is no level '\(logLevel)'")
        }
        guard heartbeat >= 1 else { throw ValidationError("--heartbeat: has to be 1 at least") }
        guard (1...16 << 10).contains(largestBundle) else {
            throw ValidationError("--max-bundle: has to be 1 to \(16 << 10)")
        }
        guard (certificate == nil) == (key == nil) || proxied != nil else {
            throw ValidationError("--certificate and --key belong together")
        }
        guard proxied == nil || (url != nil && certificate != nil) else {
            throw ValidationError(
                "--plaintext-behind-proxy needs --url https://..., and --certificate with the proxy's chain, for the tokens"
            )
        }
        guard url?.hasPrefix("https://") ?? true else { throw ValidationError("--url: has to begin with https://") }
    }

    func run() async throws {
        let store = try data.store()
        let logger = self.logger
        var settings = CentralSettings()
        settings.interval = heartbeat
        settings.retentionDays = retention > 0 ? retention : nil
        settings.largestDatabase = largest.map { $0 << 20 }
        settings.largestBundle = largestBundle << 20
        settings.drainBytesPerSecond = drainRate
        settings.isBehindProxy = proxied != nil
        let central = try await Central(
            store: store, content: try data.content(), settings: settings, logger: logger,
            eventLoop: MultiThreadedEventLoopGroup.singleton.next())

        let address = proxied ?? listen
        let names = Self.names(host)
        let trust =
            if let certificate, let key { Trust(chain: certificate, key: key) } else {
                Trust(folder: data.path, names: names)
            }
        let pins = try proxied != nil ? [Trust.pin(ofChain: certificate ?? "")] : trust.pins()
        var server = ServerSettings(host: address.host, port: address.port, names: names)
        server.isPlaintext = proxied != nil
        let url = self.url
        try await CentralServer(central, server, trust: trust).run { port in
            let published = url ?? "https://\(Self.bracketed(names.first ?? "localhost")):\(port)"
            do {
                try await Trust.publish(url: published, pins: pins, in: store)
                ServiceManager.sayReady()
                Self.say("holdfast-central: serving \(published) on \(address.host):\(port)")
            } catch {
                logger.error("cannot store the address for tokens", metadata: ["error": "\(error)"])
            }
        }
        try store.close()
    }

    private var logger: Logger {
        var logger = Logger(label: "holdfast-central") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = Logger.Level(rawValue: logLevel) ?? .info
        return logger
    }

    /// A line for whoever started it, at once: print() would keep it back from a pipe.
    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }

    private static func bracketed(_ name: String) -> String { name.contains(":") ? "[\(name)]" : name }

    /// What was given, and what every machine calls itself.
    private static func names(_ given: String?) -> [String] {
        var names = (given ?? "").split(separator: ",").map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
        if names.isEmpty {
            var buffer = [CChar](repeating: 0, count: 256)
            if gethostname(&buffer, buffer.count - 1) == 0 {
                names.append(String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            }
        }
        for name in ["localhost", "127.0.0.1", "::1"] where !names.contains(name) { names.append(name) }
        return names
    }
}
