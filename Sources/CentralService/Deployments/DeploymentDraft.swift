import CentralStore
import ControlProtocol
import Rollout

/// A deployment that an operator wants.
struct DeploymentDraft: JSONConvertible {
    private static let mostParallel = 1000
    private static let longest = 31_536_000.0
    private static let longestName = 128

    /// A UUID of the operator's own, so that a request can be sent again.
    var id: String?
    var kind: StoredDeployment.Kind
    var bundle: String
    /// `nil` for a rollback to the last good one.
    var version: String?
    var target: FleetTarget
    var limits: Rollout.Limits
    var isForced: Bool
    /// Seconds that a device may take to download it; `nil` for the device's own limit.
    var downloadWithin: Double?
    /// Seconds that a device has to begin, once its turn has come.
    var expiresIn: Double

    private enum Key: String {
        case id, kind, bundle, version, maxParallel = "max_parallel", maxFailures = "max_failures", force
        case downloadWithin = "download_within_s", expiresIn = "expires_in_s"
    }

    init(json: JSONValue) throws(JSONError) {
        id = try json.optional(Key.id)
        if let id, !Central.isUUID(id) { throw JSONError(.wrongType, at: "id", "must be a UUID in lower case") }
        let kind: String = try json.optional(Key.kind) ?? StoredDeployment.Kind.deploy.rawValue
        guard let kind = StoredDeployment.Kind(rawValue: kind) else {
            throw JSONError(.wrongType, at: "kind", "must be deploy or rollback")
        }
        self.kind = kind
        bundle = try json.required(Key.bundle)
        version = try json.optional(Key.version)
        for (key, text) in [("bundle", bundle), ("version", version ?? "-")]
        where !(1...Self.longestName).contains(text.utf8.count) {
            throw JSONError(.wrongType, at: key, "must be of 1 to \(Self.longestName) bytes")
        }
        guard kind == .rollback || version != nil else {
            throw JSONError(.missing, at: "version", "is missing: say which one, such as 1.0.0")
        }
        target = try FleetTarget(json: json)
        limits = Rollout.Limits(
            parallel: try json.optional(Key.maxParallel) ?? 10, failures: try json.optional(Key.maxFailures) ?? 1)
        guard (1...Self.mostParallel).contains(limits.parallel) else {
            throw JSONError(.wrongType, at: "max_parallel", "must be 1 to \(Self.mostParallel)")
        }
        guard (0...FleetTarget.mostDevices).contains(limits.failures) else {
            throw JSONError(.wrongType, at: "max_failures", "must be 0 to \(FleetTarget.mostDevices)")
        }
        isForced = try json.optional(Key.force) ?? false
        downloadWithin = try json.optional(Key.downloadWithin)
        expiresIn = try json.optional(Key.expiresIn) ?? 86_400
        for (key, seconds) in [("download_within_s", downloadWithin ?? 1), ("expires_in_s", expiresIn)]
        where !(seconds > 0 && seconds <= Self.longest) {
            throw JSONError(.wrongType, at: key, "must be above 0, and a year at most")
        }
    }

    var json: JSONValue {
        var object: JSONObject = [
            Key.kind.rawValue: .string(kind.rawValue), Key.bundle.rawValue: .string(bundle),
            Key.version.rawValue: version.json, Key.maxParallel.rawValue: limits.parallel.json,
            Key.maxFailures.rawValue: limits.failures.json, Key.force.rawValue: .bool(isForced),
            Key.downloadWithin.rawValue: downloadWithin.json, Key.expiresIn.rawValue: expiresIn.json,
        ]
        if let id { object[Key.id.rawValue] = .string(id) }
        for member in target.json.objectValue?.members ?? [] { object[member.key] = member.value }
        return .object(object)
    }

    /// What each device gets.
    /// - Parameter archive: what is deployed; `nil` for a rollback.
    func payload(_ archive: StoredBundle?) -> JSONObject {
        var payload: JSONObject = ["bundle": .string(bundle)]
        if let version = archive?.version ?? version { payload["version"] = .string(version) }
        if let archive { payload["file"] = .string(archive.file) }
        if isForced { payload["force"] = true }
        if kind == .deploy, let downloadWithin { payload["download_within_s"] = .double(downloadWithin) }
        return payload
    }
}
