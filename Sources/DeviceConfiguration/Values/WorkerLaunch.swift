package import LinuxSystem
import MonotonicTime
package import Supervision

/// Everything that is fixed when a worker's process is launched: a change takes effect only in a new process.
package struct WorkerLaunch: Equatable, Sendable {
    /// The worker's name.
    package var name: String
    /// The program and its arguments.
    package var command: [String]
    package var workingDirectory: String
    /// The variables that the configuration sets; the runtime adds those of the worker contract.
    package var environment: [String: String]
    package var user: String
    /// `nil` for the user's own group.
    package var group: String?
    /// Besides those that the user is a member of.
    package var supplementaryGroups: [String]
    package var umask: UInt32
    package var nice: Int
    package var oomScoreAdjustment: Int
    /// At most one for each resource, in the order of their numbers.
    package var limits: [ResourceLimit]
    /// Of its cgroup; no part of the fingerprint, since they take effect on a process that runs.
    package var groupLimits = GroupLimits()
    package var sandbox = WorkerSandbox()
    /// Told to the worker as `WATCHDOG_USEC`.
    package var watchdog: Duration?
    /// Told to the worker as `HOLDFAST_TELEMETRY_SOCKET`.
    package var reportsTelemetry = true
    /// `user`, `group` and `supplementaryGroups` as numbers, once the machine was asked; `nil` when it does not know
    /// one of them.
    package var identity: SpawnRequest.Identity?

    /// Where a command without a slash is searched: `PATH` of the worker's environment, or the usual places.
    package var searchPath: String { environment["PATH"] ?? WorkerLaunch.defaultSearchPath }

    /// Whether the configuration may set the variable for a worker.
    package static func mayBeSet(_ variable: String) -> Bool {
        EnvironmentVariable.isWellFormed(variable) && !EnvironmentVariable.isReserved(variable)
    }

    /// The program that runs a worker which was written for ImunoEdge: its first argument is the worker's program.
    package static let imunoEdgeLauncher = "holdfast-imunoedge"

    package static let defaultSearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Differs exactly when something of the launch differs, apart from the worker's name, from `groupLimits`, and from
    /// `identity`, which only repeats the names in numbers.
    package var fingerprint: LaunchFingerprint {
        var digest = LaunchDigest()
        digest.add("command", command)
        digest.add("working_directory", [workingDirectory])
        digest.add("environment", environment.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] })
        digest.add("user", [user])
        digest.add("group", group.map { [$0] } ?? [])
        digest.add("supplementary_groups", supplementaryGroups)
        digest.add("umask", ["\(umask)"])
        digest.add("nice", ["\(nice)"])
        digest.add("oom_score_adj", ["\(oomScoreAdjustment)"])
        digest.add("limits", limits.flatMap { ["\($0.resource.rawValue)", "\($0.value)"] })
        digest.add("watchdog", watchdog.map { ["\($0.wholeNanoseconds)"] } ?? [])
        if !reportsTelemetry { digest.add("telemetry", ["off"]) }
        // Only where there is one: those of earlier versions stay as they are.
        if sandbox != WorkerSandbox() { digest.add("sandbox", sandbox.texts) }
        return LaunchFingerprint(digest.hexadecimal)
    }
}
