package import Supervision

/// A valid configuration: everything that the runtime needs to know, with defaults filled in.
package struct Configuration: Equatable, Sendable {
    package var runtime: RuntimeSettings
    package var output: OutputSettings
    package var preservation: PreservationSettings
    package var uplink: UplinkSection
    /// In the order in which they stand in the files.
    package var plugins: [PluginSettings]
    package var deployment: DeploymentSection
    /// The user's part of the tree: the children of the root, in the order in which they stand in the files.
    package var children: [ChildSpecification]
    /// How each worker's process is launched, by the worker's name.
    package var launches: [String: WorkerLaunch]
    /// How much of each worker's output is kept, by the worker's name.
    package var outputs: [String: WorkerOutput]
    /// What each worker may send, by the worker's name.
    package var telemetry: [String: WorkerTelemetry]
    /// Who is shed earlier than others, by the worker's name: the lower, the earlier.
    package var shedOrders: [String: Int]
    /// What each worker that has any is probed by, by the worker's name.
    package var probes: [String: [WorkerProbe]]
    /// The bundle that brought a worker or supervisor, by its name; of the others there is none.
    package var bundles: [String: String]

    /// The whole tree: the root with the built-in `system` supervisor first, which so starts first and stops last.
    ///
    /// The root never stops healthy children: each has an allowance of its own, and exceeding it parks that child alone.
    package func tree(system: SupervisorSpecification? = nil) -> SupervisorSpecification {
        SupervisorSpecification(
            name: SupervisorSpecification.rootName,
            strategy: .oneForOne,
            intensity: RestartIntensity(scope: .perChild),
            children: (system.map { [.supervisor($0)] } ?? []) + children)
    }
}

/// What came of reading a configuration.
package struct ConfigurationReport: Equatable, Sendable {
    /// The configuration; `nil` when there is any problem.
    package var configuration: Configuration?
    /// What makes the configuration invalid, in the order of files and lines.
    package var problems: [ConfigurationProblem]
    /// What this machine lacks (programs, directories, users), in the same order. `check` treats these as errors; the
    /// daemon reports them and starts the other workers, for one missing program must not keep a device down.
    package var environmentProblems: [ConfigurationProblem]
    /// The files that were read, in order.
    package var files: [String]
    /// The values that hold and where they come from, when they were asked for.
    package var effective: [EffectiveSection] = []
    /// The files of its own, without those of bundles: what `load(keeping:)` takes.
    package var own: [ConfigurationSource] = []
    /// What bundles have brought to it.
    package var bundles: [BundleText] = []
    /// Bundles that the configuration does without.
    package var leftOut: [LeftOutBundle] = []
}

extension ConfigurationReport {
    /// What of it is worth keeping as long as the configuration holds.
    package var textsAlone: ConfigurationReport {
        ConfigurationReport(
            configuration: nil, problems: [], environmentProblems: [], files: [], own: own, bundles: bundles,
            leftOut: leftOut)
    }
}

/// A bundle's part of the configuration.
package struct BundleText: Equatable, Sendable {
    package var name: String
    /// VERSION@HASH.
    package var version: String?
    package var source: ConfigurationSource
}

/// A bundle whose part of the tree is no part of the configuration.
package struct LeftOutBundle: Equatable, Sendable {
    /// Of the bundle; for all of them at once, the folder of the store.
    package var name: String
    /// VERSION@HASH, where it has a current version.
    package var version: String?
    /// Why.
    package var problems: [ConfigurationProblem]
}

/// What becomes of bundles whose part of the configuration is wrong.
package enum BundlePolicy: Sendable {
    /// Their problems are those of the configuration.
    case judged
    /// The configuration holds without them: no bundle keeps a device down.
    case leftOut
    /// Bundles are no part of it at all.
    case ignored
}
