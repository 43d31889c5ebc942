import Glibc

/// The environment that the process was started with (environ(7)).
package enum ProcessEnvironment {
    /// A variable's value, or `nil` when it is not set.
    package static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
