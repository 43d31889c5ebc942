import DeviceConfiguration
import LinuxSystem
import Supervision

/// Starts executors and plugin hosts.
final class ExecutorLauncher {
    private let loop: EventLoop
    private let processes: ProcessTable
    private let cgroups: WorkerCgroups
    private let defaults: ProcessDefaults
    private let directory: RuntimeDirectory
    /// Tells their processes and cgroups from those of a runtime before this one.
    private let prefix: String
    private var lastNumber = 0
    /// `nil` while there are no plugins.
    var setup: ExecutorSetup?

    private static let channelNumber: Int32 = 3
    private static let standardError: Int32 = 2
    /// Processes and threads of a plugin host.
    private static let mostTasks: UInt64 = 128
    /// When memory runs out, commands go before workers.
    private static let oomScore = 500

    init(
        loop: EventLoop, processes: ProcessTable, cgroups: WorkerCgroups, defaults: ProcessDefaults,
        directory: RuntimeDirectory, runtime: String
    ) {
        self.loop = loop
        self.processes = processes
        self.cgroups = cgroups
        self.defaults = defaults
        self.directory = directory
        var random = SystemRandomNumberGenerator()
        prefix = "\(runtime)-\(String(UInt32.random(in: .min ... .max, using: &random), radix: 16))"
    }

    /// A number for a command, which its processes carry.
    func nextMark() -> String {
        lastNumber += 1
        return "\(prefix)-\(lastNumber)"
    }

    /// Starts this very binary as `holdfast-executor`.
    /// - Parameter channel: the end that it inherits.
    func startExecutor(
        for plugin: PluginSettings, _ setup: ExecutorSetup, mark: String, channel: UnixStream,
        _ onEnd: @escaping (TransientProcess.End) -> Void
    ) throws(SystemError) -> TransientProcess {
        try startExecutor(setup.confinementOfExecutor(for: plugin), mark, channel, onEnd)
    }

    /// Starts it as the keeper of deployments.
    func startKeeper(
        _ setup: KeeperSetup, mark: String, channel: UnixStream, _ onEnd: @escaping (TransientProcess.End) -> Void
    ) throws(SystemError) -> TransientProcess {
        try startExecutor(setup.confinement, mark, channel, onEnd)
    }

    private func startExecutor(
        _ confinement: SystemConfinement, _ mark: String, _ channel: UnixStream,
        _ onEnd: @escaping (TransientProcess.End) -> Void
    ) throws(SystemError) -> TransientProcess {
        var request = SpawnRequest(
            executable: SystemConfinement.ownProgram, arguments: [ExecutorSetup.executor],
            environment: environment(mark: mark, ExecutorSetup.executor))
        confinement.apply(to: &request)
        request.workingDirectory = "/"
        request.output = .descriptors(output: Self.standardError, error: Self.standardError)
        request.inherited = [(source: channel.rawValue, target: Self.channelNumber)]
        defer { withExtendedLifetime(confinement) {} }
        return try start(&request, mark, ExecutorSetup.executor, GroupLimits(), onEnd)
    }

    /// Starts a plugin host.
    /// - Parameters:
    ///   - socket: the end that it inherits.
    ///   - output: where it prints to.
    func startHost(
        for plugin: PluginSettings, _ setup: ExecutorSetup, mark: String, socket: UnixStream, output: Int32,
        _ onEnd: @escaping (TransientProcess.End) -> Void
    ) throws(SystemError) -> TransientProcess {
        let folder = setup.folder(of: plugin.name)
        var request = SpawnRequest(
            executable: setup.hostProgram, arguments: [ExecutorSetup.host],
            environment: environment(mark: mark, ExecutorSetup.host) + [
                "HOME=\(folder ?? "/")", "TMPDIR=/tmp", "LANG=C.UTF-8", "HOLDFAST_PLUGIN=\(plugin.name)",
                // What a plugin brings along lies beside it, and the copy that is loaded lies nowhere.
                "LD_LIBRARY_PATH=\(ExecutorSetup.folder(ofFile: plugin.file))",
            ])
        let confinement = setup.confinementOfHost(for: plugin, hasMemoryCgroup: cgroups.limitsMemory)
        confinement.apply(to: &request)
        request.workingDirectory = folder ?? "/"
        request.output = .descriptors(output: output, error: output)
        request.oomScoreAdjustment = Self.oomScore
        request.inherited = [(source: socket.rawValue, target: Self.channelNumber)]
        defer { withExtendedLifetime(confinement) {} }
        let limits = GroupLimits(memory: UInt64(plugin.memoryMax), processes: Self.mostTasks)
        return try start(&request, mark, ExecutorSetup.host, limits, onEnd)
    }

    /// The variable by which the next supervisor finds what this one has left (`Orphans.carriers`) is the one that workers have.
    /// - Parameter name: what the process is; `mark` with it behind a dot is what it carries.
    func environment(mark: String, _ name: String) -> [String] {
        [
            "PATH=\(WorkerLaunch.defaultSearchPath)", "\(Orphans.instanceVariable)=\(mark).\(name)",
            "\(Orphans.notifyVariable)=\(directory.notifySocket(of: name))",
        ]
    }

    private func start(
        _ request: inout SpawnRequest, _ mark: String, _ name: String, _ limits: GroupLimits,
        _ onEnd: @escaping (TransientProcess.End) -> Void
    ) throws(SystemError) -> TransientProcess {
        defaults.restore(in: &request)
        let cgroup = cgroups.make(for: name, number: mark, limits)
        return try TransientProcess(
            request, mark: "\(mark).\(name)", cgroup: cgroup, loop: loop, processes: processes, cgroups: cgroups,
            onEnd: onEnd)
    }
}
