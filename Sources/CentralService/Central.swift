package import CentralStore
package import Logging
package import NIOCore

/// The service's parts, put together. Holds no state of its own.
package final class Central: Sendable {
    package let store: any CentralStore
    package let settings: CentralSettings
    package let clock: WallClock
    /// In seconds since 1970. Signatures from before are not taken: their nonces are forgotten.
    let startedAt: Int64
    let registry: DeviceRegistry
    let content: ContentFolder
    let shelf: MetadataShelf
    let room: WaitingRoom
    let nonces = NonceMemory()
    let metrics = ServiceMetrics()
    let news = NewsStream()
    let strangers: KeyedLimits
    let operators: KeyedLimits
    let logger: Logger

    /// - Parameters:
    ///   - content: where bundles lie.
    ///   - eventLoop: runs the one timer of those who wait.
    package init(
        store: any CentralStore, content: ContentFolder, settings: CentralSettings, clock: WallClock = .system,
        logger: Logger, eventLoop: any EventLoop
    ) async throws {
        self.store = store
        self.content = content
        shelf = MetadataShelf(store: store)
        self.settings = settings
        self.clock = clock
        self.logger = logger
        startedAt = clock.seconds
        registry = DeviceRegistry(limit: settings.deviceRate)
        strangers = KeyedLimits(limit: settings.strangerRate)
        operators = KeyedLimits(limit: settings.operatorRate)
        room = WaitingRoom(eventLoop: eventLoop)
        registry.load(try await store.identities())
        // What devices have said just before central ended.
        try await advanceDeployments()
    }

    /// Lets nobody wait any longer: the service is about to stop.
    package func sendWaitersAway() {
        room.close()
        news.close()
    }

    /// Keeps what is only in memory.
    package func flush() async throws {
        let seen = registry.takeSeen()
        if !seen.isEmpty { try await store.seen(seen) }
    }
}
