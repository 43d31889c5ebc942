/// What somebody wants of a bundle: the arguments of method Deploy.
package struct DeploymentOrder: Equatable, Sendable {
    package enum Intent: String, CaseIterable, Sendable {
        /// Fetch a version, unless the device has it, and run it.
        case deploy
        /// Run a version again that was good.
        case rollback
    }

    /// Tells deployments apart: the same id again is the same deployment.
    package var id: String
    package var bundle: String
    package var intent: Intent
    /// VERSION@HASH. `nil` in a rollback: the one that was good before the current one.
    package var version: String?
    /// The name under which its archive was signed; `nil` when the device has the version already.
    package var file: String?
    /// Takes a barred version too, and goes back also where the data cannot.
    package var isForced: Bool
    /// For the whole download; `nil` for an hour.
    package var downloadWithin: Duration?

    package init(
        id: String, bundle: String, _ intent: Intent, version: String? = nil, file: String? = nil,
        isForced: Bool = false, downloadWithin: Duration? = nil
    ) {
        self.id = id
        self.bundle = bundle
        self.intent = intent
        self.version = version
        self.file = file
        self.isForced = isForced
        self.downloadWithin = downloadWithin
    }

    private enum Key: String {
        case id, bundle, intent, version, file
        case isForced = "force"
        case downloadWithin = "download_within_s"
    }

    private static let longestText = 256
    /// A week.
    private static let longestDownload = 604_800.0

    init(_ arguments: inout CallArguments) throws(VarlinkServiceError) {
        let intent: String = try arguments.required(Key.intent)
        let seconds: Double?
        guard let known = Intent(rawValue: intent) else { throw .invalidParameter(Key.intent.rawValue) }
        self.intent = known
        id = try arguments.required(Key.id)
        bundle = try arguments.required(Key.bundle)
        version = try arguments.optional(Key.version)
        file = try arguments.optional(Key.file)
        isForced = try arguments.optional(Key.isForced) ?? false
        seconds = try arguments.optional(Key.downloadWithin)
        downloadWithin = seconds.map { .seconds($0) }
        if let wrong = firstMistake { throw .invalidParameter(wrong.rawValue) }
    }

    private var firstMistake: Key? {
        if !(1...ExecutionCall.longestID).contains(id.utf8.count) || !id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) {
            return .id
        }
        if bundle.isEmpty || bundle.utf8.count > Self.longestText { return .bundle }
        if version == nil && intent == .deploy || version?.utf8.count ?? 0 > Self.longestText { return .version }
        if file?.utf8.count ?? 0 > Self.longestText { return .file }
        guard let downloadWithin, downloadWithin <= .zero || downloadWithin > .seconds(Self.longestDownload) else {
            return nil
        }
        return .downloadWithin
    }

    package var parameters: JSONObject {
        var parameters: JSONObject = [
            Key.id.rawValue: .string(id), Key.bundle.rawValue: .string(bundle),
            Key.intent.rawValue: .string(intent.rawValue),
        ]
        parameters[Key.version.rawValue] = version?.json
        parameters[Key.file.rawValue] = file?.json
        parameters[Key.isForced.rawValue] = isForced ? true : nil
        parameters[Key.downloadWithin.rawValue] = downloadWithin.map { .double($0 / .seconds(1)) }
        return parameters
    }
}

/// As one process tells another.
extension DeploymentOrder: JSONConvertible {
    package init(json: JSONValue) throws(JSONError) {
        let intent: String = try json.required(Key.intent)
        guard let known = Intent(rawValue: intent) else {
            throw JSONError(.wrongType, at: Key.intent.rawValue, "is not known: '\(intent)'")
        }
        self.init(
            id: try json.required(Key.id), bundle: try json.required(Key.bundle), known,
            version: try json.optional(Key.version), file: try json.optional(Key.file),
            isForced: try json.optional(Key.isForced) ?? false,
            downloadWithin: try (json.optional(Key.downloadWithin) as Double?).map { .seconds($0) })
    }

    package var json: JSONValue { .object(parameters) }
}
