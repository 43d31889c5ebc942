import DeviceConfiguration
import LinuxSystem
import Supervision

/// What `holdfast-uplink` is started with: its user, its confinement, and its two folders. It is the only process of Holdfast
/// that may reach beyond this machine. Made when the configuration is read, for it asks the user database and the disk.
struct UplinkSetup {
    /// The key, the enrolment, the journal of commands.
    let folder: PrivateFolder
    let spools: PrivateFolder
    let confinement: SystemConfinement
    private let reachWarning: String?

    var warnings: [String] {
        confinement.warnings + [folder.warning, spools.warning, reachWarning].compactMap(\.self)
    }

    /// Names of hosts (nsswitch.conf(5), systemd-resolved), certificates, and what the device tells of itself.
    static let readableForNetwork = [
        "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
        "/etc/protocols", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf", "/etc/ssl",
        "/etc/pki", "/etc/ca-certificates", "/etc/crypto-policies", "/usr/share/ca-certificates",
        "/usr/local/share/ca-certificates",
    ]
    private static let readable =
        readableForNetwork + [
            "/etc/os-release", "/etc/machine-info", "/etc/localtime",
            "/usr/share/zoneinfo", "/proc", "/sys/firmware/devicetree/base", "/sys/devices/virtual/dmi/id",
        ]

    init(_ configuration: Configuration) {
        let state = configuration.runtime.stateDirectory
        var user = SystemConfinement.user(named: UplinkWorker.name)
        // Without capabilities not even root passes through a folder that is closed to it.
        let inner = PrivateFolder("\(state)/uplink", owner: nil)
        var reachWarning: String?
        if let identity = user.identity, let obstacle = inner.obstacle(for: identity) {
            reachWarning =
                "\(UplinkWorker.name) runs as root, though without capabilities, for its user cannot pass through "
                + "\(obstacle) to state_dir: chmod o+x \(obstacle)"
            user.identity = nil
        }
        self.reachWarning = reachWarning
        folder = PrivateFolder(inner.path, owner: user.owner)
        spools = PrivateFolder("\(state)/spool", owner: user.owner)
        var files = LandlockRules()
        for place in [folder, spools] {
            if let number = place.descriptor?.rawValue { files.allow(number, [.read, .write]) }
        }
        for path in Self.readable { files.allow(path, .read) }
        files.allowsTCP = true
        // Threads are allowed: libcurl asks for names in one.
        confinement = SystemConfinement(
            user, files: files, denying: Set(SystemCallFilter.Family.allCases).subtracting([.network]),
            limits: UplinkWorker.limits)
    }

    /// Whether one of the folders was removed since.
    var isGone: Bool { folder.isGone || spools.isGone }

    /// Differs when a running process is no longer set up as it should be: another user, or other folders.
    var fingerprint: LaunchFingerprint {
        let places = [folder, spools].map { place in
            let status = place.descriptor?.rawValue.flatMap { try? SystemCall.status($0) }
            return "\(status.map { "\($0.device):\($0.inode)" } ?? "") \(place.path)"
        }
        let identity = confinement.identity.map { "\($0.uid):\($0.gid)" } ?? ""
        return LaunchFingerprint("\(identity) \(places.joined(separator: " "))")
    }
}
