import CentralStore
import ControlProtocol
import Logging
import ServiceLifecycle
import Synchronization

/// What has to be done from time to time, while the service runs.
struct Care: Service {
    private static let interval: Duration = .seconds(30)
    /// A daily look at the certificate is soon enough: two months of it are left.
    private static let certificateInterval: Duration = .seconds(86400)

    private static let uploadsInterval: Duration = .seconds(3600)

    let central: Central
    let tls: TLSContexts?
    let trust: Trust

    func run() async throws {
        await withGracefulShutdownHandler {
            var certificateChecked = ContinuousClock.now
            var uploadsChecked = ContinuousClock.now - Self.uploadsInterval
            while (try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.interval) }) != nil {
                await attempt("note when devices were last heard of") { try await central.flush() }
                central.news.publish { [News(topic: News.keepAlive, device: nil, body: [:])] }
                await attempt("mark expired commands") {
                    _ = try await central.store.expireCommands(before: central.clock.now())
                }
                await attempt("go on with deployments") { try await central.advanceDeployments() }
                await attempt("delete what is old") { try await central.retain() }
                if ContinuousClock.now - uploadsChecked > Self.uploadsInterval {
                    uploadsChecked = .now
                    await attempt("forget unfinished uploads") { try await central.forgetUploads() }
                }
                if ContinuousClock.now - certificateChecked > Self.certificateInterval {
                    certificateChecked = .now
                    await attempt("renew the certificate") { try tls?.replace(by: trust.files()) }
                }
            }
        } onGracefulShutdown: {
            central.sendWaitersAway()
        }
    }

    private func attempt(_ what: String, _ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            central.logger.error("cannot \(what); tried again later", metadata: ["error": "\(error)"])
        }
    }
}

extension Central {
    private static let rowsAtOnce = 2000
    private static let transactionsAtOnce = 50

    /// Deletes what is too old or too much, in small transactions, so that nothing waits for it for long.
    package func retain() async throws {
        if let days = settings.retentionDays {
            let time = clock.now() - Int64(days) * 86_400_000
            for _ in 0..<Self.transactionsAtOnce {
                guard try await store.prune(before: time, limit: Self.rowsAtOnce) >= Self.rowsAtOnce else { break }
            }
        }
        guard let largest = settings.largestDatabase else { return }
        for _ in 0..<Self.transactionsAtOnce {
            guard try await store.size() > largest else { break }
            guard try await store.pruneOldest(limit: Self.rowsAtOnce) > 0 else { break }
        }
    }
}
