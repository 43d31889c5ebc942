package import LinuxSystem
package import Trust

/// Why a bundle is none, cannot be made, or cannot be kept.
package struct BundleError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Open: handle those you know. docs/bundle-format.md says which requirement each stands for.
    package struct Code: Hashable, Sendable {
        package var rawValue: String

        package init(_ rawValue: String) { self.rawValue = rawValue }

        /// Neither a zstd nor a gzip file.
        package static let notABundle = Code("not-a-bundle")
        /// Truncated, or no valid archive.
        package static let damaged = Code("damaged")
        package static let tooLarge = Code("too-large")
        /// Unpacking would need more memory than a device gives.
        package static let windowTooLarge = Code("window-too-large")

        package static let manifestMissing = Code("manifest-missing")
        /// `problems` has each.
        package static let manifestInvalid = Code("manifest-invalid")

        package static let unsafePath = Code("unsafe-path")
        package static let undeclared = Code("undeclared-entry")
        package static let duplicate = Code("duplicate-entry")
        package static let missing = Code("missing-entry")
        package static let hardLink = Code("hard-link")
        /// A folder, a device, a FIFO, a socket.
        package static let specialFile = Code("special-file")
        /// Set-user-id, set-group-id, sticky.
        package static let specialMode = Code("special-mode")
        package static let wrongMode = Code("wrong-mode")
        package static let wrongSize = Code("wrong-size")
        package static let wrongHash = Code("wrong-hash")
        package static let wrongLink = Code("wrong-link")
        /// The archive as a whole is not the one that was signed.
        package static let wrongArchive = Code("wrong-archive")

        /// A folder cannot be packed.
        package static let unpackable = Code("unpackable")
        package static let libraryUnavailable = Code("library-unavailable")
        package static let system = Code("system")
    }

    package var code: Code
    package var message: String
    /// Each thing that is wrong, where there may be several.
    package var problems: [String]
    /// The failed call, for `Code.system`.
    package var cause: SystemError?

    package init(_ code: Code, _ message: String, problems: [String] = []) {
        self.code = code
        self.message = message
        self.problems = problems
    }

    package init(_ error: SystemError) {
        self.init(.system, error.description)
        cause = error
    }

    package init(_ error: TrustError) {
        self.init(Code(error.code.rawValue), error.message)
    }

    package var description: String { message }

    /// Runs calls of the system; their errors become this type's.
    package static func system<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(BundleError) -> Value {
        do throws(SystemError) { return try body() } catch { throw BundleError(error) }
    }

    /// Runs calls of `Trust`; their errors become this type's.
    package static func trust<Value>(_ body: () throws(TrustError) -> Value) throws(BundleError) -> Value {
        do throws(TrustError) { return try body() } catch { throw BundleError(error) }
    }
}
