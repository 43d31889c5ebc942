import ControlProtocol
import DeviceConfiguration
import ExecutorProtocol
import LinuxSystem
import UplinkProtocol

/// The runtime's side of commands that plugins carry out.
extension SupervisorRuntime {
    func connectExecutors() {
        executions.onLog = { [unowned self] plugin, id, level, line in
            log.write(level.severity, "plugin \(plugin), command \(id): \(line)")
        }
        executions.onEnded = { [unowned self] call, plugin, end in
            let name = "command \(call.id) (\(call.kind), plugin \(plugin))"
            switch end {
            case .succeeded: chronicle.record(.commandEnded, "\(name) has succeeded")
            case .failed(let code, let message):
                chronicle.record(
                    .commandEnded, "\(name) has failed: \(message)", details: ["code": .string(code)])
            }
        }
        executions.catalogue.onRefused = { [unowned self] plugin, reason in
            chronicle.record(.warning, "the plugin \(plugin) cannot be used: \(reason)")
            log.write(.warning, "the plugin \(plugin) cannot be used: \(reason)")
        }
        executions.openControl = { [unowned self] in openControl(for: $0) }
        executions.openTelemetry = { [unowned self] in openTelemetry(for: $0) }
        executions.offerDownloads = { [unowned self] in uplinkLink.handOverDownloads($0) }
        configureExecutors()
    }

    /// After the start, and after a reload.
    func configureExecutors() {
        executorSetup =
            configuration.plugins.isEmpty ? nil : ExecutorSetup(configuration, executable: executable)
        executions.configure(configuration, executorSetup)
    }

    /// Connections of the plugin's own, on which it may do what it was granted and nothing else. What lasts has the second one: a
    /// connection answers one call after the other.
    private func openControl(for plugin: PluginSettings) -> [UnixStream] {
        var methods: Set<RuntimeMethod.Name> = []
        if plugin.grants.contains(.treeRead) || plugin.grants.contains(.treeControl) {
            methods = [.status, .incidents, .health, .metrics]
        }
        if plugin.grants.contains(.treeControl) {
            methods.formUnion([.startWorker, .stopWorker, .restartWorker, .pauseWorker, .resumeWorker, .reload])
        }
        if plugin.grants.contains(.bundle) { methods.formUnion([.deploy, .cancelDeployment, .deployments]) }
        guard !methods.isEmpty else { return [] }
        return (0..<(plugin.grants.contains(.bundle) ? 2 : 1)).compactMap { _ in
            openControl(methods, atMost: ExecutionQueue.mostRunning * 4, for: "the plugin \(plugin.name)")
        }
    }

    /// A connection for one of Holdfast's own processes, on which it may do this and nothing else.
    /// - Parameter whom: for the warning when there is none.
    func openControl(_ methods: Set<RuntimeMethod.Name>, atMost most: Int, for whom: String) -> UnixStream? {
        guard let control, let (ours, theirs) = try? UnixStream.makeStreamPair() else { return nil }
        do throws(SystemError) {
            try control.serve(ours, only: methods, atMost: most)
            return theirs
        } catch {
            chronicle.record(.warning, "\(whom) gets no connection to the runtime: \(error)")
            return nil
        }
    }

    // MARK: Telemetry

    /// What the uplink calls a plugin; no worker can have such a name.
    private static func reporter(_ plugin: String) -> String { "\(ExecutorSetup.plugin).\(plugin)" }
    /// Readings and events a second.
    private static var telemetryRate: Int { 100 }

    /// A socket to send from, into one that is made with the first command and read by the uplink, as those of workers are.
    private func openTelemetry(for plugin: PluginSettings) -> SharedDescriptor? {
        guard runsUplink else { return nil }
        do throws(SystemError) {
            let name = Self.reporter(plugin.name)
            let socket: TelemetrySocket
            if let known = pluginTelemetry[name] {
                socket = known
            } else {
                socket = try TelemetrySocket(path: directory.telemetrySocket(of: name))
                pluginTelemetry[name] = socket
                uplinkLink.add(name, socket, TelemetryLimits(rate: Self.telemetryRate))
            }
            return SharedDescriptor(try socket.connect())
        } catch {
            chronicle.record(.warning, "telemetry of the plugin \(plugin.name) cannot be taken: \(error)")
            return nil
        }
    }

    /// Hands the sockets to a new uplink, and takes back those of plugins that are not there any more.
    func refreshPluginTelemetry() {
        let names = Set(configuration.plugins.map { Self.reporter($0.name) })
        for (name, socket) in pluginTelemetry {
            if runsUplink, names.contains(name) {
                uplinkLink.add(name, socket, TelemetryLimits(rate: Self.telemetryRate))
            } else {
                uplinkLink.remove(name)
                pluginTelemetry[name] = nil
            }
        }
    }

    // MARK: Warnings

    /// What all of Holdfast's own processes lack is said once.
    var executorWarnings: [String] {
        guard let executorSetup else { return [] }
        let obstacle = executorSetup.obstacle.map { "no plugin can be used: \($0)" }
        return executorSetup.warnings.filter { $0 != executorSetup.obstacle } + [obstacle].compactMap { $0 }
    }
}

extension ExecutorReport.Level {
    var severity: DiagnosticLog.Severity {
        switch self {
        case .debug, .info, .output: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
