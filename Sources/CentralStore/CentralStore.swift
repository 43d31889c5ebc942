package import FleetAPI
package import Rollout

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

    // Bundles. Their content is kept elsewhere, under its hash; hashes are 64 hexadecimal digits.

    /// Notes an upload, or what is said of it now.
    /// - Throws: `tooMany` when that many others are unfinished.
    func begin(_ upload: StoredUpload, limit: Int) async throws
    func upload(_ sha256: String) async throws -> StoredUpload?
    func uploads() async throws -> [StoredUpload]
    func endUpload(_ sha256: String) async throws
    /// Takes in a bundle whose content is there, and ends its upload.
    /// - Throws: `conflict` when its version is there with other content.
    func add(_ bundle: StoredBundle) async throws
    /// - Parameter version: `VERSION@HASH`, or `VERSION` where only one build of it is there.
    /// - Throws: `conflict` when there are several.
    func bundle(_ name: String, _ version: String) async throws -> StoredBundle?
    func bundle(content sha256: String) async throws -> StoredBundle?
    /// The newest first.
    func bundles(_ filter: BundleFilter) async throws -> [StoredBundle]
    /// The hashes of all bundles and uploads.
    func contents() async throws -> [String]
    /// Forgets it.
    /// - Throws: `conflict` while a deployment needs it, `notFound`.
    func removeBundle(content sha256: String) async throws

    func metadata(_ name: String) async throws -> StoredMetadata?
    /// Puts it in the place of what is there.
    /// - Throws: `conflict` when that is newer, or has the same version and other content.
    func put(_ metadata: StoredMetadata) async throws

    // Deployments. Whatever a device says of its command is there in the same transaction.

    /// Makes a deployment, which supersedes earlier ones of the bundle on devices that have not begun, and lets the first
    /// devices begin.
    /// - Parameter devices: ids, and the id that the device's command gets.
    /// - Throws: `notFound` when a device does not exist, or the bundle's version that is to be deployed.
    func add(_ deployment: StoredDeployment, for devices: [(id: String, command: String)]) async throws
        -> DeploymentStep
    /// The newest first.
    func deployments(_ filter: DeploymentFilter) async throws -> [StoredDeployment]
    func deployment(_ id: String) async throws -> StoredDeployment?
    /// In the order of their turns, which is that of their names.
    func devices(of deployment: String) async throws -> [DeploymentDevice]
    /// Has a deployment go on as far as it can, or do as an operator says.
    /// - Throws: `notFound`, or `conflict` when it cannot be so.
    func handle(_ event: Rollout.Event, of deployment: String, at now: Int64) async throws -> DeploymentStep
    /// Those that are not over.
    func activeDeployments() async throws -> [String]

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
