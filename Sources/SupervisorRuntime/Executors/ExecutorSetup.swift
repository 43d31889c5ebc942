import DeviceConfiguration
import LinuxSystem
import Supervision

/// What executors and plugin hosts are started with: their users, their folders, and how they are confined. Made when the
/// configuration is read, for it asks the user database and the disk; only where there are plugins.
struct ExecutorSetup {
    static let executor = BundleFolder.owner
    static let host = "holdfast-plugin-host"
    static let plugin = "holdfast-plugin"

    /// The executors' own: the models that are there.
    private let models: PrivateFolder
    /// Of each plugin, by its name.
    private let folders: [String: PrivateFolder]
    private let executorUser: SystemConfinement.User
    private let user: SystemConfinement.User
    private let stateDirectory: String
    private let runtimeDirectory: String
    /// The path of the plugin host, which is shipped beside this program.
    let hostProgram: String
    let warnings: [String]
    /// Why no plugin can be run at all.
    let obstacle: String?

    init(_ configuration: Configuration, executable: String) {
        stateDirectory = configuration.runtime.stateDirectory
        runtimeDirectory = configuration.runtime.runtimeDirectory
        let slash = executable.lastIndex(of: "/") ?? executable.startIndex
        hostProgram = "\(executable[..<slash])/\(Self.host)"
        executorUser = SystemConfinement.user(named: Self.executor)
        user = SystemConfinement.user(named: Self.plugin, executing: hostProgram)
        let isRoot = SystemCall.effectiveUserID() == 0
        models = PrivateFolder("\(stateDirectory)/models", owner: executorUser.owner)
        var folders: [String: PrivateFolder] = [:]
        try? RuntimeDirectory.makeDirectories("\(stateDirectory)/plugins", permissions: 0o711)
        for plugin in configuration.plugins {
            folders[plugin.name] = PrivateFolder("\(stateDirectory)/plugins/\(plugin.name)", owner: user.owner)
        }
        self.folders = folders
        var warnings = [executorUser.warning, user.warning].compactMap { $0 }
        warnings += ([models] + folders.values).compactMap(\.warning)
        var obstacle: String?
        if (try? SystemCall.status(of: hostProgram))?.kind != .regular {
            obstacle = "there is no \(hostProgram): install it beside holdfastd"
        } else if isRoot, user.identity == nil {
            // Where Landlock is missing, root has the whole device, capabilities or not.
            obstacle = user.warning ?? "there is no user \(Self.plugin)"
        } else if let identity = user.identity,
            let closed = PrivateFolder("\(stateDirectory)/plugins", owner: nil).obstacle(for: identity)
        {
            obstacle = "\(Self.plugin) cannot pass through \(closed) to state_dir: chmod o+x \(closed)"
        }
        self.warnings = warnings.sorted()
        self.obstacle = obstacle
    }

    /// The plugin's private folder, if it has one.
    func folder(of plugin: String) -> String? { folders[plugin].flatMap { $0.descriptor == nil ? nil : $0.path } }

    /// In bytes, of all models.
    static let modelBudget = 4 << 30

    /// Where models are, for a plugin that may have to do with them.
    func modelFolder(for plugin: PluginSettings) -> String? {
        plugin.grants.isDisjoint(with: [.artifact, .model]) ? nil : "\(stateDirectory)/models"
    }

    // MARK: Confinement

    /// An executor reads the plugin's file and keeps the models; it has no plugin in it. Bundles are the keeper's.
    func confinementOfExecutor(for plugin: PluginSettings) -> SystemConfinement {
        var files = LandlockRules()
        files.allow(Self.folder(ofFile: plugin.file), .read)
        if let number = models.descriptor?.rawValue { files.allow(number, [.read, .write]) }
        for path in Self.readableForExecutors { files.allow(path, .read) }
        return SystemConfinement(
            executorUser, files: files, denying: Set(SystemCallFilter.Family.allCases), limits: Self.executorLimits)
    }

    /// A plugin host has foreign code in it. Made for each process: its ruleset is to have its own /tmp.
    /// - Parameter hasMemoryCgroup: otherwise a limit of the process itself has to do.
    func confinementOfHost(for plugin: PluginSettings, hasMemoryCgroup: Bool) -> SystemConfinement {
        let hasNetwork = plugin.grants.contains(.network)
        var files = LandlockRules()
        // Libraries that it brings along.
        files.allow(Self.folder(ofFile: plugin.file), .read)
        if let number = folders[plugin.name]?.descriptor?.rawValue { files.allow(number, [.read, .write]) }
        for path in Self.readable + (hasNetwork ? UplinkSetup.readableForNetwork : []) { files.allow(path, .read) }
        files.allowsTCP = hasNetwork
        var denied = Set(SystemCallFilter.Family.allCases)
        if hasNetwork { denied.remove(.network) }
        return SystemConfinement(
            user, program: hostProgram, files: files, denying: denied,
            limits: hostLimits(plugin, hasMemoryCgroup: hasMemoryCgroup), sandbox: sandbox(for: plugin))
    }

    /// OpenSSL's configuration.
    static let readableForExecutors = ["/etc/ssl"]

    static let executorLimits = [
        ResourceLimit(resource: .dataSize, value: .atMost(256 << 20)),
        ResourceLimit(resource: .lockedMemory, value: .atMost(0)),
        ResourceLimit(resource: .coreSize, value: .atMost(0)),
        ResourceLimit(resource: .openFiles, value: .atMost(256)),
    ]

    private func hostLimits(_ plugin: PluginSettings, hasMemoryCgroup: Bool) -> [ResourceLimit] {
        var limits = [
            ResourceLimit(resource: .coreSize, value: .atMost(0)),
            ResourceLimit(resource: .lockedMemory, value: .atMost(0)),
            ResourceLimit(resource: .openFiles, value: .atMost(256)),
            ResourceLimit(resource: .fileSize, value: .atMost(1 << 30)),
        ]
        // Counts all of a user's: without a user of their own, those of everybody.
        if user.identity != nil { limits.append(ResourceLimit(resource: .processes, value: .atMost(256))) }
        if !hasMemoryCgroup {
            limits.append(ResourceLimit(resource: .dataSize, value: .atMost(UInt64(plugin.memoryMax))))
        }
        return limits
    }

    /// What libraries look at, and nothing of other processes.
    private static let readable = [
        "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/sys/kernel/osrelease",
        "/sys/devices/system", "/etc/localtime", "/usr/share/zoneinfo", "/etc/os-release", "/etc/ssl/openssl.cnf",
    ]

    // MARK: Sandbox

    /// `nil` without root: a user namespace is nothing that every machine grants, and there is nobody to hide from.
    private func sandbox(for plugin: PluginSettings) -> Sandbox? {
        guard SystemCall.effectiveUserID() == 0 else { return nil }
        let folder = folder(of: plugin.name)
        var needed = [hostProgram, plugin.file]
        if let folder { needed.append(folder) }
        var places = [Sandbox.Place("/", .readOnly)]
        if let folder { places.append(Sandbox.Place(folder, .writable)) }
        for path in ["/tmp", "/var/tmp"] where !needed.contains(where: { $0.hasPrefix(path + "/") }) {
            places.append(Sandbox.Place(path, .scratch))
        }
        var hidden = neighbours(of: plugin.name) + [runtimeDirectory]
        // Whoever may use the network may need the resolver's sockets there.
        if !plugin.grants.contains(.network) { hidden.append("/run") }
        // Hidden in hidden would not be there any more.
        hidden = hidden.filter { path in !hidden.contains { path.hasPrefix($0 + "/") } }
        hidden.removeAll { path in
            needed.contains { $0.hasPrefix(path + "/") }
                || places.contains { $0.access == .scratch && path.hasPrefix($0.path + "/") }
                || (try? SystemCall.status(of: path)) == nil
        }
        places += hidden.map { Sandbox.Place($0, .hidden) }
        // The filter keeps it from the network, where the kernel has one: a namespace would take the kernel a while.
        return Sandbox(places, hasNetwork: plugin.grants.contains(.network) || SystemCallFilter.isAvailable)
    }

    /// All that is in state_dir but the plugin's own folder. What is made later is kept from it by its user and by Landlock.
    private func neighbours(of plugin: String) -> [String] {
        func others(in directory: String, but name: String) -> [String] {
            let names = (try? SystemCall.names(inDirectory: directory)) ?? []
            return names.filter { $0 != name }.map { "\(directory)/\($0)" }
        }
        return others(in: stateDirectory, but: "plugins") + others(in: "\(stateDirectory)/plugins", but: plugin)
    }

    static func folder(ofFile file: String) -> String {
        guard let slash = file.lastIndex(of: "/"), slash != file.startIndex else { return "/" }
        return String(file[..<slash])
    }
}
