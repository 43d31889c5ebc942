extension DeploymentSection {
    /// The settings, with defaults in place of what is wrong, which has been reported.
    init(_ table: TableReader) {
        self.init(
            trustedRoot: table.value(DeploymentSchema.trustedRoot),
            hardware: table.optional(DeploymentSchema.hardware),
            quota: table.optional(DeploymentSchema.quota),
            minimumSpeed: table.value(DeploymentSchema.minimumSpeed))
    }
}
