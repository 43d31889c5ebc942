/// The version of this build; the same for all of Holdfast's programs.
package enum HoldfastVersion {
    /// As of semantic versioning 2.0.
    package static let current = "0.1.0"
}
