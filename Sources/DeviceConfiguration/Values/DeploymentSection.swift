/// `[deployment]`: whose bundles this device takes, and how much room they get.
package struct DeploymentSection: Equatable, Sendable {
    /// The file that says who may sign.
    package var trustedRoot: String
    /// What this device is, for bundles that require it.
    package var hardware: String?
    /// Of all content in the store, in bytes; `nil` for no limit but the disk's.
    package var quota: Int64?
    /// In bytes a second.
    package var minimumSpeed: Int64
}
