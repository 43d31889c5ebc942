import DeviceConfiguration
import LinuxSystem
import Supervision

/// What the keeper of deployments is started with: its user, the store that is its own, and how it is confined. Made when it is
/// started, for it asks the user database and the disk.
struct KeeperSetup {
    let store: PrivateFolder
    /// Why it cannot be started.
    let obstacle: String?
    private let user: SystemConfinement.User
    private let trustedRoot: String

    private static let storePermissions: UInt32 = 0o755

    init(_ configuration: Configuration) {
        let state = configuration.runtime.stateDirectory
        let path = BundleFolder.path(in: state)
        trustedRoot = configuration.deployment.trustedRoot
        user = SystemConfinement.user(named: BundleFolder.owner)
        let isRoot = SystemCall.effectiveUserID() == 0
        // As another user, workers that run as the same could write what is started as any user.
        if isRoot, (try? AccountDatabase.user(named: BundleFolder.owner)) == nil {
            store = PrivateFolder(missing: path)
            obstacle = "there is no user \(BundleFolder.owner), who keeps the bundles; systemd-sysusers creates it"
            return
        }
        // Workers of any user read what is in it.
        store = PrivateFolder(path, owner: user.owner, permissions: Self.storePermissions)
        if let warning = store.warning {
            obstacle = warning
        } else if let identity = user.identity, let closed = store.obstacle(for: identity) {
            obstacle = "\(BundleFolder.owner) cannot pass through \(closed) to state_dir: chmod o+x \(closed)"
        } else {
            obstacle = nil
        }
    }

    /// It reads who may sign, and keeps the store. The network is the uplink's business.
    var confinement: SystemConfinement {
        var files = LandlockRules()
        // What is stored is linked from one folder into another.
        files.relinks = true
        if let number = store.descriptor?.rawValue { files.allow(number, [.read, .write]) }
        files.allow(ExecutorSetup.folder(ofFile: trustedRoot), .read)
        for path in ExecutorSetup.readableForExecutors { files.allow(path, .read) }
        return SystemConfinement(
            user, files: files, denying: Set(SystemCallFilter.Family.allCases), limits: ExecutorSetup.executorLimits)
    }
}
