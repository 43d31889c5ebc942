import LinuxSystem

/// An environment variable that overrides a setting: `HOLDFAST_CONFIG__<SECTION>__<KEY>`.
package struct ConfigurationVariable: Hashable, Sendable {
    /// What every override begins with.
    package static let prefix = "HOLDFAST_CONFIG__"
    /// What nothing else may begin with, so that a mistyped override is told and not ignored.
    private static let reservedPrefix = "HOLDFAST_CONFIG_"

    package var name: String
    /// UTF-8, if whoever set it was well.
    package var value: [UInt8]

    package init(name: String, value: [UInt8]) {
        self.name = name
        self.value = value
    }

    /// The overrides among this process's variables, in the order of their names.
    package static func ofProcess() -> [ConfigurationVariable] {
        ProcessEnvironment.variables(withPrefix: reservedPrefix)
            .map { ConfigurationVariable(name: $0.name, value: $0.value) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }
}
