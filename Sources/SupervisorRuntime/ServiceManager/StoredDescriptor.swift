import Supervision

/// A descriptor that somebody keeps while there is no `holdfastd`: systemd's fd store, or the process itself while it
/// executes another binary.
struct StoredDescriptor: Hashable {
    /// As in FDNAME= (sd_pid_notify_with_fds(3)): letters, digits, ".", "_" and "-".
    let name: String

    /// The pidfd of an instance's main process: the kernel then tells how it ended, and its number is nobody else's.
    static func process(of instance: InstanceID) -> StoredDescriptor {
        StoredDescriptor(name: "process-\(instance.rawValue)")
    }

    static func notifySocket(of worker: String) -> StoredDescriptor { StoredDescriptor(name: "notify-\(worker)") }

    /// What a worker has reported before somebody takes it is still in it.
    static func telemetrySocket(of worker: String) -> StoredDescriptor { StoredDescriptor(name: "telemetry-\(worker)") }

    /// Both ends of the FIFO: what a worker has said before it died is still in it.
    static func output(of worker: String) -> StoredDescriptor { StoredDescriptor(name: "output-\(worker)") }
}
