/// How a deployment stands, or how it came out: type Deployment of the interface, and each reply to method Deploy.
package struct DeploymentReport: Equatable, Sendable {
    /// docs/deployment.md says what each means.
    package enum State: String, CaseIterable, Sendable {
        case downloading, verifying, unpacking, staged, activating, probation, committed, reverting
        case rolledBack = "rolled_back"
        case failed

        package var isEnd: Bool {
            switch self {
            case .committed, .rolledBack, .failed: true
            case .downloading, .verifying, .unpacking, .staged, .activating, .probation, .reverting: false
            }
        }
    }

    /// The code of one over which the device or a process of the runtime went down before anything that runs was changed.
    package static let interrupted = "interrupted"

    package var id: String
    package var bundle: String
    /// What it is to lead to: VERSION@HASH.
    package var version: String
    package var state: State
    /// Of the step, where that is known.
    package var percent: Int?
    /// Why it came out otherwise: a stable word, such as `crash-loop`.
    package var code: String?
    /// In words: of the progress, or of the reason.
    package var message: String?

    package init(
        id: String, bundle: String, version: String, state: State, percent: Int? = nil, code: String? = nil,
        message: String? = nil
    ) {
        self.id = id
        self.bundle = bundle
        self.version = version
        self.state = state
        self.percent = percent
        self.code = code
        self.message = message
    }
}

extension DeploymentReport: JSONConvertible {
    private enum Key: String { case id, bundle, version, state, percent, code, message }

    package init(json: JSONValue) throws(JSONError) {
        let name: String = try json.required(Key.state)
        guard let state = State(rawValue: name) else {
            throw JSONError(.wrongType, at: Key.state.rawValue, "is not known: '\(name)'")
        }
        self.init(
            id: try json.required(Key.id), bundle: try json.required(Key.bundle),
            version: try json.required(Key.version),
            state: state, percent: try json.optional(Key.percent), code: try json.optional(Key.code),
            message: try json.optional(Key.message))
    }

    package var json: JSONValue {
        .object([
            Key.id: id, .bundle: bundle, .version: version, .state: state.rawValue, .percent: percent, .code: code,
            .message: message,
        ])
    }
}

/// A bundle as a device has it: type Bundle of the interface.
package struct BundleReport: Equatable, Sendable {
    package var name: String
    /// What runs: VERSION@HASH; `nil` when none does.
    package var current: String?
    /// Those that have proved themselves, the latest first.
    package var good: [String]
    /// Those that have failed here, and are not taken again unless forced.
    package var barred: [String]
    /// The latest; `nil` when there was none.
    package var deployment: DeploymentReport?

    package init(
        name: String, current: String?, good: [String] = [], barred: [String] = [],
        deployment: DeploymentReport? = nil
    ) {
        self.name = name
        self.current = current
        self.good = good
        self.barred = barred
        self.deployment = deployment
    }
}

extension BundleReport: JSONConvertible {
    private enum Key: String { case name, current, good, barred, deployment }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            name: try json.required(Key.name), current: try json.optional(Key.current),
            good: try json.required(Key.good),
            barred: try json.required(Key.barred), deployment: try json.optional(Key.deployment))
    }

    package var json: JSONValue {
        .object([Key.name: name, .current: current, .good: good, .barred: barred, .deployment: deployment])
    }
}

/// The reply of method Deployments.
package struct DeploymentsReply: Equatable, Sendable, JSONConvertible {
    package var bundles: [BundleReport]

    package init(bundles: [BundleReport]) { self.bundles = bundles }

    private enum Key: String { case bundles }

    package init(json: JSONValue) throws(JSONError) { bundles = try json.required(Key.bundles) }

    package var json: JSONValue { .object([Key.bundles: bundles]) }
}
