package import Supervision

/// Everything that one seed fixes: the tree, what happens to it from outside, and by `faultStream` how each process
/// that it spawns behaves.
package struct Schedule: Sendable {
    package var seed: UInt64
    package var tree: SupervisorSpecification
    /// Sorted by offset.
    package var stimuli: [TimedStimulus]
    /// After this, new processes behave, old ones fall ill no more and no stimulus comes: the tree must converge.
    package var faultsEnd: Duration
    /// Percent of the processes that misbehave in some way.
    package var faultRate: Int
    /// Round all times of workers to this grid, so that several things fall on the same instant; `nil` for none.
    package var grid: Duration?
    /// Spawns (worker name, ordinal) whose process is well behaved whatever the seed says; used for minimising.
    package var spared: Set<SpawnOrdinal> = []
    /// What the operator does once everything has converged: all pauses are lifted, or they stay.
    package var liftsPausesAtEnd: Bool
    /// Whether a shutdown is ordered once everything has converged.
    package var shutsDownAtEnd: Bool
}

/// The n-th process of a worker in one run.
package struct SpawnOrdinal: Hashable, Sendable {
    package var worker: String
    package var ordinal: Int
}
