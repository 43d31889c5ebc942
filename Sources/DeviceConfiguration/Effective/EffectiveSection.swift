/// Where the value of a setting comes from.
package enum SettingSource: Hashable, Sendable {
    /// A file or an environment variable.
    case given(SourcePlace)
    /// Nobody set it.
    case builtIn
}

/// A setting as it holds, and why.
package struct EffectiveSetting: Equatable, Sendable {
    /// Within its table: "watchdog", or "environment.LANG" for an entry of a setting that is a table.
    package var key: String
    /// `nil` when the setting has no value, and something that the file does not know decides: `otherwise`.
    package var value: TOMLValue?
    /// In the words of the reference; `nil` when there is a value.
    package var otherwise: String?
    package var source: SettingSource
}

/// One table of the configuration as it holds: its settings in the order of the reference.
package struct EffectiveSection: Equatable, Sendable {
    /// The kind of table: "runtime", "worker", "worker.limits".
    package var table: String
    /// Its header in a file: "[runtime]", "[[worker]]", "[worker.limits]".
    package var header: String
    /// The worker or supervisor that it belongs to; `nil` for tables that stand once.
    package var name: String?
    /// As problems call it: "worker.camera.limits".
    package var path: String
    package var settings: [EffectiveSetting]
}
