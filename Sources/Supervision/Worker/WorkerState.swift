/// The state of a worker as people see it. The state machine's own phases carry more (see `WorkerPhase`).
package enum WorkerState: String, CaseIterable, Hashable, Sendable {
    /// Down and not wanted.
    case stopped
    /// Wanted, and next in a start sequence once its predecessors allow it.
    case waiting
    /// Wanted, down, and not started as long as a pause reason holds.
    case held
    /// A process has been ordered; its program is not yet known to run.
    case starting
    /// Running, not ready yet.
    case running
    case ready
    /// Stopped by the freezer or SIGSTOP for at least one reason.
    case paused
    /// On its way down, or its group is being cleaned up.
    case stopping
    /// Ended; the next start has a time.
    case backingOff = "backing-off"
    /// Given up, or failed with a policy of no restart.
    case failed
    /// Ended with success and not to be restarted.
    case finished
}
