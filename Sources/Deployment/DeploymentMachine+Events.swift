extension DeploymentMachine {
    /// Something that takes time and may fail.
    package enum Step: Hashable, Sendable {
        case download(BundleVersion)
        /// Signature and contents of what was downloaded.
        case verify(BundleVersion)
        case unpack(BundleVersion)
        /// Whether its files on disk are still what was unpacked.
        case checkTree(BundleVersion)
        /// Makes it current, for certain; `nil`: none is.
        case switchTo(BundleVersion?)
        /// The supervisor takes over the workers of what is current.
        case apply(BundleVersion?)
        case selfTest(BundleVersion)
    }

    package enum StepEnd: Hashable, Sendable {
        case done
        /// Of `unpack`: what the version asks for.
        case unpacked(VersionTerms)
        case failed(String)
    }

    /// How the workers of the observed version stand.
    package enum Health: Hashable, Sendable {
        /// Not all are ready, or nobody knows.
        case incomplete
        /// All are ready, and their probes pass.
        case well
        /// They are paused or held: that is no fault of theirs, and no merit.
        case suspended
        /// The restart intensity is exceeded, or a worker has given up.
        case failed(String)
    }

    package enum Event: Hashable, Sendable {
        /// The first event of all: what is on disk. - intact: the versions that are there as a whole.
        case recovered(DeploymentRecord?, VersionHistory, intact: Set<BundleVersion>)
        case requested(DeploymentRequest)
        case cancelled(id: String)
        case finished(token: Int, StepEnd)
        /// The last `persist` could not be done; nothing of what came with it after it was.
        case persistFailed(String)
        /// Of the version that is observed.
        case healthChanged(Health)
        /// The current version's workers crash again and again, long after its probation.
        case crashLooped(String)
        /// The time of `deadline` has come. Early or superfluous calls are harmless.
        case deadlineReached
    }

    package enum Action: Hashable, Sendable {
        /// On disk, for certain, before anything that follows.
        case persist(DeploymentRecord, VersionHistory)
        /// To be answered with `finished` and this token, unless it is abandoned before.
        case perform(Step, token: Int)
        case abandon(token: Int)
        /// From now on `healthChanged` is wanted, first with how it stands.
        case observe(BundleVersion)
        case endObservation
        case report(id: String, DeploymentRecord.State, DeploymentReason?)
        /// How a request came out; again when it is asked for again.
        case end(DeploymentEnd)
        /// Other versions may go from the disk.
        case collect(keeping: Set<BundleVersion>)
    }
}
