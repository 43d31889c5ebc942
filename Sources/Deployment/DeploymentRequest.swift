/// What somebody wants of a bundle.
package struct DeploymentRequest: Hashable, Sendable {
    package enum Intent: Hashable, Sendable {
        /// Fetch and run this version.
        case deploy(BundleVersion)
        /// Run a kept version again; `nil` for the one that was good before the current one.
        case rollback(to: BundleVersion?)
    }

    package var id: String
    package var intent: Intent
    /// Barred versions are taken too, and data that cannot go back is nobody's concern.
    package var isForced: Bool
    /// For the whole download.
    package var downloadWithin: Duration

    package init(
        id: String, _ intent: Intent, isForced: Bool = false, downloadWithin: Duration = .seconds(3600)
    ) {
        self.id = id
        self.intent = intent
        self.isForced = isForced
        self.downloadWithin = downloadWithin
    }
}
