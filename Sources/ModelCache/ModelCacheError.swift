package import LinuxSystem

/// Why the model cache does not do what it was asked for.
package struct ModelCacheError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Open: handle those you know.
    package struct Code: Hashable, Sendable {
        package var rawValue: String

        package init(_ rawValue: String) { self.rawValue = rawValue }

        /// There is no room for it, and what may go is too little.
        package static let noSpace = Code("no-space")
        /// The cache does not have it.
        package static let missing = Code("missing")
        /// What the disk has is not what it is called.
        package static let damaged = Code("damaged")
        /// Nothing is staged.
        package static let notStaged = Code("not-staged")
        /// A name that is none.
        package static let invalid = Code("invalid")
        /// Another process works in the cache.
        package static let busy = Code("busy")
        package static let system = Code("system")
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package init(_ error: SystemError) {
        let code: Code = error.isLockedByAnother ? .busy : error.isNoSpace ? .noSpace : .system
        self.init(code, error.description)
    }

    package var description: String { message }

    static func system<Value>(_ body: () throws(SystemError) -> Value) throws(ModelCacheError) -> Value {
        do throws(SystemError) { return try body() } catch { throw ModelCacheError(error) }
    }
}
