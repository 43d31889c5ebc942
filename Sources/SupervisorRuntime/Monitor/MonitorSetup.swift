import LinuxSystem
import Supervision

/// What `holdfast-monitor` is started with: its user and its confinement. It reads what the kernel tells of hardware and
/// processes, and asks workers over the loopback interface. Made when the configuration is read, for it asks the user database.
struct MonitorSetup {
    let confinement: SystemConfinement

    private static let readable = ["/proc", "/sys", "/etc/sensors3.conf", "/etc/sensors.conf", "/etc/sensors.d"]

    /// - Parameter others: what may be read besides; for tests, whose program stands in for the monitor.
    init(reading others: [String] = []) {
        var files = LandlockRules()
        for path in Self.readable + others { files.allow(path, .read) }
        files.allowsTCP = true
        confinement = SystemConfinement(
            SystemConfinement.user(named: MonitorWorker.name), files: files,
            denying: Set(SystemCallFilter.Family.allCases).subtracting([.network]), limits: MonitorWorker.limits)
    }

    /// Differs when a running process is no longer set up as it should be.
    var fingerprint: LaunchFingerprint {
        LaunchFingerprint(confinement.identity.map { "\($0.uid):\($0.gid)" } ?? "")
    }
}
