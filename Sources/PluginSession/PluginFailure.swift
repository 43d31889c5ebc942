/// Why a command in a plugin failed.
package struct PluginFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// Open; stable strings that operators and central see (docs/plugin-abi.md, "How a command ends").
    package struct Code: Hashable, Sendable {
        package var rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// The plugin says so itself.
        package static let failed = Code(rawValue: "failed")
        /// A signal that nobody of ours sent.
        package static let crashed = Code(rawValue: "crashed")
        /// It ended the process instead of returning.
        package static let exited = Code(rawValue: "exited")
        /// Its time was over; it stopped when it was told to.
        package static let timedOut = Code(rawValue: "timed-out")
        /// Its time was over, and it did not stop.
        package static let hung = Code(rawValue: "hung")
        package static let cancelled = Code(rawValue: "cancelled")
        package static let memory = Code(rawValue: "memory")
        package static let noResult = Code(rawValue: "no-result")
        package static let resultTooLong = Code(rawValue: "result-too-long")
        /// Not JSON.
        package static let badResult = Code(rawValue: "bad-result")
        /// The host's socket was closed while the process lived on.
        package static let disconnected = Code(rawValue: "disconnected")
        /// What came over the host's socket is nothing that a host says.
        package static let garbled = Code(rawValue: "garbled")
        /// It cannot be loaded.
        package static let notLoadable = Code(rawValue: "not-loadable")
        /// It was built for another ABI.
        package static let wrongABI = Code(rawValue: "wrong-abi")
        /// Its entry or descriptor says something impossible.
        package static let badDescriptor = Code(rawValue: "bad-descriptor")
        /// It does not execute this kind.
        package static let unknownKind = Code(rawValue: "unknown-kind")
        /// The plugin host could not do its part.
        package static let host = Code(rawValue: "host")
    }

    package var code: Code
    /// What happened, in words for an operator.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
