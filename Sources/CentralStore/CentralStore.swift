package import FleetAPI

/// All that central keeps. Every call is one transaction: it is durable when the call returns, or has not happened.
///
/// Times are milliseconds since 1970. Safe to call from anywhere. Whoever implements it passes the suite in
/// Tests/CentralStoreTests.
package protocol CentralStore: Sendable {
    // Settings of central itself, such as its address.
    func setting(_ key: String) async throws -> String?
    func set(_ key: String, to value: String) async throws

    // Devices.

    /// Takes a device in by a token, or tells what is known of it already.
    /// - Throws: `StoreError` of the code `enrolmentRefused`, whose message says why.
    func enrol(_ enrolment: Enrolment, at now: Int64) async throws -> Device
    /// Of every device: what it takes to judge its requests.
    func identities() async throws -> [DeviceIdentity]
    func device(_ id: String) async throws -> Device?
    /// In the order of their ids.
    func devices(_ filter: DeviceFilter) async throws -> [Device]
    func countDevices() async throws -> [DeviceState: Int]
    /// - Throws: `conflict` when another device has this key.
    func setKey(_ key: [UInt8], of device: String) async throws
    func setState(_ state: DeviceState, of device: String) async throws
    func update(_ device: String, _ change: DeviceChange) async throws -> Device
    /// Forgets it with all that it has ever sent.
    func delete(_ device: String) async throws
    func record(_ heartbeat: HeartbeatRequest, of device: DeviceIdentity, at now: Int64) async throws
        -> HeartbeatOutcome
    /// Notes when devices were last heard of.
    func seen(_ times: [Int64: Int64]) async throws

    // Tokens. Secrets come as SHA-256 only.

    func add(_ token: StoredEnrolmentToken) async throws
    func enrolmentTokens() async throws -> [StoredEnrolmentToken]
    func add(_ token: StoredOperatorToken) async throws
    func operatorTokens() async throws -> [StoredOperatorToken]
    func operatorToken(hash: [UInt8]) async throws -> StoredOperatorToken?
    /// Of either kind.
    /// - Throws: `notFound`.
    func revokeToken(_ id: String, at now: Int64) async throws

    // Telemetry.

    /// Applies what is new of a batch, once.
    func apply(_ batch: TelemetryBatch, of device: DeviceIdentity, at now: Int64) async throws -> BatchOutcome
    /// The last value of every series.
    func latest(_ filter: SeriesFilter) async throws -> [LatestReading]
    /// In the order of time, within each series.
    func readings(_ query: ReadingsQuery) async throws -> [StoredReading]
    func buckets(_ query: BucketsQuery) async throws -> [ReadingsBucket]
    func gaps(device: String) async throws -> [StoredGap]

    // Events. The newest come first.

    func events(_ filter: EventFilter) async throws -> [StoredEvent]
    func incidents(_ filter: EventFilter) async throws -> [StoredIncident]

    // Commands.

    /// - Returns: the sequence that each device gets it with, by the device's id.
    /// - Throws: `notFound` when a device does not exist.
    func add(_ command: StoredCommand, for devices: [String]) async throws -> [String: UInt64]
    /// The newest first.
    func commands(_ filter: CommandFilter) async throws -> [StoredCommand]
    func command(_ id: String) async throws -> StoredCommand?
    /// How it stands, by device.
    func progress(of command: String) async throws -> [CommandProgress]
    /// Those that may still run, of a higher sequence, in order.
    /// - Parameter after: what the device has. The sequence never falls behind it, not even after central was restored
    ///   from an old backup.
    func pending(for device: DeviceIdentity, after: UInt64, at now: Int64, limit: Int) async throws -> [CommandOrder]
    /// Calls it off where it is still queued.
    /// - Returns: how many devices that were.
    func cancel(_ command: String, at now: Int64) async throws -> Int
    func attach(_ bytes: [UInt8], to command: String, of device: DeviceIdentity) async throws
    func attachment(of command: String, from device: String) async throws -> [UInt8]?
    /// Marks what no device will run any more.
    func expireCommands(before time: Int64) async throws -> Int

    // Who did what. The newest first.

    func note(_ entry: AuditEntry) async throws
    func audit(limit: Int, before: Int64?) async throws -> [AuditEntry]

    // Care.

    /// Deletes some of what is older.
    /// - Returns: how many rows; 0 when nothing is left to delete.
    func prune(before time: Int64, limit: Int) async throws -> Int
    /// Deletes some of the oldest readings, whatever their age.
    func pruneOldest(limit: Int) async throws -> Int
    /// In bytes, without what is free inside.
    func size() async throws -> Int
    /// Throws when it cannot be used.
    func check() async throws
}
