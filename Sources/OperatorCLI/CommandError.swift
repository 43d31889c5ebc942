import ControlProtocol

/// Why a command failed, in one line for people, and as a code and an exit status for programs.
struct CommandError: Error, Equatable {
    /// Open; the codes are stable and documented in docs/cli.md.
    struct Code: Hashable {
        var rawValue: String
        var exitStatus: Int32

        static let failed = Code(rawValue: "failed", exitStatus: 1)
        /// The reply is not that of a Holdfast runtime, or of one that this version does not understand.
        static let protocolViolation = Code(rawValue: "protocol", exitStatus: 1)
        static let unavailable = Code(rawValue: "unavailable", exitStatus: 1)
        static let upgradeRefused = Code(rawValue: "upgrade-refused", exitStatus: 1)
        static let outputUnavailable = Code(rawValue: "output-unavailable", exitStatus: 1)
        static let monitorUnavailable = Code(rawValue: "monitor-unavailable", exitStatus: 1)
        static let uplinkUnavailable = Code(rawValue: "uplink-unavailable", exitStatus: 1)
        /// There is no plugin for the command, or it is not used.
        static let executionRefused = Code(rawValue: "execution-refused", exitStatus: 1)
        /// It is not begun.
        static let deploymentRefused = Code(rawValue: "deployment-refused", exitStatus: 1)
        static let enrolmentRefused = Code(rawValue: "enrolment-refused", exitStatus: 1)
        /// Central has not answered yet; the device goes on trying.
        static let enrolmentPending = Code(rawValue: "enrolment-pending", exitStatus: 3)
        /// What was emitted is not taken in, and never will be.
        static let notTaken = Code(rawValue: "not-taken", exitStatus: 1)
        /// `holdfast plugin check` has found something.
        static let pluginUnusable = Code(rawValue: "plugin-unusable", exitStatus: 1)
        /// A command in a plugin has failed.
        static let commandFailed = Code(rawValue: "command-failed", exitStatus: 1)
        /// The version is not committed.
        static let deploymentFailed = Code(rawValue: "deployment-failed", exitStatus: 1)
        static let usage = Code(rawValue: "usage", exitStatus: 2)
        /// No login to central, or one that it does not take.
        static let notLoggedIn = Code(rawValue: "not-logged-in", exitStatus: 4)
        /// Central knows no such thing.
        static let notFound = Code(rawValue: "not-found", exitStatus: 1)
        static let unreachable = Code(rawValue: "unreachable", exitStatus: 3)
        static let timedOut = Code(rawValue: "timed-out", exitStatus: 3)
        static let disconnected = Code(rawValue: "disconnected", exitStatus: 3)
        static let notPermitted = Code(rawValue: "not-permitted", exitStatus: 4)
        static let configurationInvalid = Code(rawValue: "configuration-invalid", exitStatus: 5)
        static let noSuchWorker = Code(rawValue: "no-such-worker", exitStatus: 6)
    }

    var code: Code
    var message: String
    /// One line each, after the message.
    var details: [String] = []

    private enum Key: String { case error, code, message, problems }

    /// What `--json` writes to standard error.
    var json: JSONValue {
        var fields: JSONObject = [Key.code.rawValue: code.rawValue.json, Key.message.rawValue: message.json]
        if !details.isEmpty { fields[Key.problems.rawValue] = details.json }
        return [Key.error.rawValue: .object(fields)]
    }
}
