package import ControlProtocol
package import LinuxSystem

/// What a plugin asks the host for and waits for. Nothing is granted here: whoever answers decides.
package struct PluginRequest: Equatable, Sendable {
    package enum Call: Equatable, Sendable {
        /// `artifact.fetch`. The digest is 64 lower-case hexadecimal digits; the name is a relative path without "..". The length
        /// in bytes is there where the plugin knows it.
        case fetchArtifact(name: String, sha256: String, length: Int? = nil, within: Duration? = nil)
        /// `bundle.activate`
        case activateBundle(name: String, version: String)
        /// `bundle.restore`; `nil`: the last good version.
        case restoreBundle(name: String, version: String?)
        /// `tree.ask`: a method of io.holdfast.Runtime, without the interface's name.
        case askTree(method: String, parameters: JSONObject)
        /// `telemetry.emit`
        case emit(JSONObject)
        /// Any other name, for whoever answers to know or to refuse as unsupported.
        case other(JSONObject)
    }

    /// Such as "artifact.fetch".
    package var name: String
    package var call: Call

    package init(name: String, call: Call) {
        self.name = name
        self.call = call
    }

    /// What has to be granted for it. `nil` when only whoever answers knows: `treeControl` is needed for `tree.ask` with a method
    /// that changes something.
    package var grant: PluginGrant? {
        switch call {
        case .fetchArtifact: .artifact
        case .activateBundle, .restoreBundle: .bundle
        case .emit: .telemetry
        case .askTree: nil
        case .other:
            name.hasPrefix("bundle.") ? .bundle : name.hasPrefix("model.") ? .model : nil
        }
    }
}

/// The answer to a request: a JSON value of at most `PluginAnswer.longest` bytes, and a descriptor that the plugin gets.
package struct PluginAnswer {
    /// In bytes (HF_ANSWER_MAX of holdfast_plugin.h).
    package static let longest = 48 * 1024

    package var json: JSONValue
    package var descriptor: SharedDescriptor?

    package init(_ json: JSONValue = .object([:]), descriptor: SharedDescriptor? = nil) {
        self.json = json
        self.descriptor = descriptor
    }
}

/// Why a request is not answered: what the plugin's call returns, and what `last_error` says.
package struct PluginRefusal: Error, Hashable, Sendable {
    package enum Reason: Int32, Sendable {
        /// It was tried, and failed.
        case failed = -1
        case notGranted = -2
        case invalid = -3
        case tooLong = -4
        case cancelled = -5
        /// Nobody here knows such a request.
        case unsupported = -7
    }

    package var reason: Reason
    package var message: String

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
