import DeviceConfiguration
import LinuxSystem
import Supervision

/// What `holdfast-output` is started with: its user, its confinement, and the one folder that it may write to. Made when the
/// configuration is read, for it asks the user database and the disk.
struct OutputSetup {
    let folder: LogFolder
    let confinement: SystemConfinement

    var warnings: [String] { confinement.warnings + [folder.warning].compactMap { $0 } }

    init(_ configuration: Configuration) {
        let user = SystemConfinement.user(named: OutputWorker.name)
        folder = LogFolder(
            configuration.output.directory, owner: user.owner, group: configuration.runtime.controlGroupID)
        var files = LandlockRules()
        if let number = folder.descriptor?.rawValue { files.allow(number, [.read, .write]) }
        confinement = SystemConfinement(
            user, files: files, denying: Set(SystemCallFilter.Family.allCases), limits: OutputWorker.limits)
    }

    /// Differs when a running process is no longer set up as it should be: another user, or another folder.
    var fingerprint: LaunchFingerprint {
        let status = folder.descriptor?.rawValue.flatMap { try? SystemCall.status($0) }
        let place = status.map { "\($0.device):\($0.inode)" } ?? ""
        let identity = confinement.identity.map { "\($0.uid):\($0.gid)" } ?? ""
        return LaunchFingerprint("\(identity) \(place) \(folder.path)")
    }
}
