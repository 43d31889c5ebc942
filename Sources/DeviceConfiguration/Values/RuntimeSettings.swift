/// `[runtime]`: the runtime as a whole.
package struct RuntimeSettings: Equatable, Sendable {
    package var name: String
    /// What must survive a reboot.
    package var stateDirectory: String
    /// Sockets and FIFOs.
    package var runtimeDirectory: String
    package var workersCgroup: WorkersCgroup
    package var defaultUser: String
    /// Whose members may read over the control socket.
    package var controlGroup: String
    /// The group's number, once the machine was asked; `nil` when it has no such group.
    package var controlGroupID: UInt32?
    /// How many of the last events are kept.
    package var eventBuffer: Int
    /// How many of the last incidents are kept.
    package var incidentBuffer: Int

    /// The keys whose new values a running runtime cannot take over.
    package func keysThatWaitForAStart(_ new: RuntimeSettings) -> [String] {
        [
            ("runtime_dir", runtimeDirectory == new.runtimeDirectory),
            ("workers_cgroup", workersCgroup == new.workersCgroup),
            ("control_group", controlGroup == new.controlGroup), ("event_buffer", eventBuffer == new.eventBuffer),
            ("incident_buffer", incidentBuffer == new.incidentBuffer),
        ].filter { !$0.1 }.map { "runtime.\($0.0)" }
    }
}

/// Where workers get their control groups.
package enum WorkersCgroup: Equatable, Sendable {
    /// In the delegated cgroup2 directory, if there is one.
    case automatic
    case off
    case directory(String)
}
