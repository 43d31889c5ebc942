import Glibc

/// What a service manager tells a process it starts, in the environment: the socket for sd_notify(3), and the watchdog of
/// sd_watchdog_enabled(3). The same for holdfastd below systemd and for holdfast-output below holdfastd.
package struct ServiceEnvironment: Hashable, Sendable {
    /// NOTIFY_SOCKET: a path, or "@name" for an abstract socket. `nil` when nobody wants to know.
    package var notifySocket: String?
    /// WATCHDOG_USEC, if it is meant for this process (WATCHDOG_PID) and not zero.
    package var watchdogPeriod: Duration?
    /// RUNTIME_DIRECTORY, the first of them (systemd.exec(5)).
    package var runtimeDirectory: String?

    package init(notifySocket: String? = nil, watchdogPeriod: Duration? = nil, runtimeDirectory: String? = nil) {
        self.notifySocket = notifySocket
        self.watchdogPeriod = watchdogPeriod
        self.runtimeDirectory = runtimeDirectory
    }

    /// Reads the environment of this process. The variables stay: a binary that takes this one's place needs them.
    package static func current() -> ServiceEnvironment {
        ServiceEnvironment(reading: ProcessEnvironment.value, pid: getpid())
    }

    /// - Parameters:
    ///   - value: a variable's value.
    ///   - pid: of the process that asks.
    init(reading value: (String) -> String?, pid: Int32) {
        // vsock: and whatever else comes is for those that run outside of the manager's machine.
        notifySocket = value("NOTIFY_SOCKET").flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isMeantForUs = value("WATCHDOG_PID").map { $0 == String(pid) } ?? true
        let microseconds = value("WATCHDOG_USEC").flatMap { Int64($0) } ?? 0
        // Beyond this it would not fit into a MonotonicInstant, and is no watchdog any more.
        let isSet = isMeantForUs && (1..<Int64.max / 1000).contains(microseconds)
        watchdogPeriod = isSet ? .microseconds(microseconds) : nil
        runtimeDirectory = value("RUNTIME_DIRECTORY")?.split(separator: ":").first.map(String.init)
    }

    /// Whether a variable is the service manager's word to this process alone.
    package static func isAddressedToUs(_ name: String) -> Bool {
        ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"].contains(name)
    }

    /// Whether a descriptor is a stream of the journal, which reads `<N>` at the beginning of a line as its priority
    /// (JOURNAL_STREAM, systemd.exec(5)).
    package static func isJournalStream(_ descriptor: Int32) -> Bool {
        guard let stream = ProcessEnvironment.value("JOURNAL_STREAM"), let status = try? SystemCall.status(descriptor)
        else { return false }
        return stream == "\(status.device):\(status.inode)"
    }
}
