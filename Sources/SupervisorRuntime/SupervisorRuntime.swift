import ControlProtocol
import DeviceConfiguration
import LinuxSystem
import MonotonicTime
import Supervision

/// `holdfastd`: the supervisor tree at work. One thread, one loop; everything that happens comes in as an event of the
/// loop, and nothing here waits.
package final class SupervisorRuntime {
    let loop: EventLoop
    let log: DiagnosticLog
    let chronicle: Chronicle
    let outputLink: OutputLink
    let serviceManager: ServiceManagerLink
    let directory: RuntimeDirectory
    let configurationPath: String
    /// The file that this process was started from.
    let executable: String
    var upgradeCheck: UpgradeCheck?
    let processes: ProcessTable
    let startedAt: MonotonicInstant
    let overflowDrain: OverflowDrain
    let losses: OutputLosses
    let monitorLink: MonitorLink
    let uplinkLink: UplinkLink
    let telemetryDrain: TelemetryDrain
    let telemetryLosses: OutputLosses
    let throttle = WorkerThrottle()
    let criticalCommand: CriticalCommand
    let executions: ExecutionService
    lazy var deployments = makeDeployments()
    /// The texts of the configuration that holds, as they were when they were read.
    private(set) var texts: ConfigurationReport
    /// `nil` while there are no plugins.
    var executorSetup: ExecutorSetup?
    /// Where plugins report to that have run since the start, by what the uplink calls them.
    var pluginTelemetry: [String: TelemetrySocket] = [:]
    var preservation = PreservationWatch()
    /// Of Holdfast's own processes that somebody has stopped: when that has lasted too long.
    var stopTimers: [String: TimerID] = [:]
    let defaults: ProcessDefaults
    let cgroups: WorkerCgroups
    let keeper: StateKeeper
    /// What a supervisor before us has left and nobody has taken yet.
    var inherited: InheritedDescriptors
    private let predecessor: SurvivalRecord?
    /// The names of workers, for reports about those that are just leaving the tree.
    var roster: [WorkerID: RosterEntry] = [:]
    var resources: [WorkerID: WorkerResources] = [:]
    var configuration: Configuration
    var outputSetup: OutputSetup
    var monitorSetup = MonitorSetup()
    /// `nil` while nobody wants an uplink.
    var uplinkSetup: UplinkSetup?
    /// Why pressure is not watched, where it is to be.
    var pressureWarning: String?
    /// What does not work here as configured; shown in `holdfast status`.
    var warnings: [String] {
        let development = "not started by root: all workers run as the user who started the runtime"
        let missed = outputLink.missedEvents
        let incomplete = "the log may lack \(missed) events: holdfast-output did not take them in time"
        let withoutGroup =
            "control_group: only root can give the control socket to another group, so nobody else may connect"
        return [
            runsAsRoot ? nil : development, cgroups.warning, keeper.warning, missed == 0 ? nil : incomplete,
            unsealedWarning, isWithoutControlGroup ? withoutGroup : nil, runsMonitor ? pressureWarning : nil,
        ].compactMap { $0 } + cgroups.unenforced(configuration.launches) + outputSetup.warnings
            + confinementWarningsOfMonitor + confinementWarningsOfUplink + executorWarnings
            + leftOutWarnings + [deployments.keeper.trouble.map { "deployments: \($0)" }].compactMap { $0 }
    }
    var control: ControlServer?
    private var isWithoutControlGroup = false
    private(set) var isStopping = false
    private var isDown = false
    /// What the reload under way has changed.
    private var lastReload = ReloadSummary()
    private var signals: SignalSource?
    private var lock: DirectoryLock?
    lazy var driver = makeDriver()
    lazy var probes = makeProbeTable()

    struct RosterEntry {
        var name: String
        var supervisor: String
    }

    private init(
        _ configuration: Configuration, _ report: ConfigurationReport, path: String, log: DiagnosticLog,
        environment: ServiceEnvironment, inherited: consuming InheritedDescriptors
    ) throws(SystemError) {
        self.configuration = configuration
        texts = report.textsAlone
        configurationPath = path
        executable = try SystemCall.executablePath()
        self.log = log
        defaults = try ProcessDefaults.current()
        try defaults.raiseDescriptorLimit()
        loop = try EventLoop()
        cgroups = WorkerCgroups(configuration.runtime.workersCgroup)
        startedAt = loop.now
        self.inherited = inherited
        directory = RuntimeDirectory(path: configuration.runtime.runtimeDirectory)
        try directory.create()
        // Before the state is read: two runtimes must never work on one.
        lock = try DirectoryLock(directory.path)
        try RuntimeDirectory.makeDirectories(configuration.runtime.stateDirectory, permissions: 0o755)
        outputSetup = OutputSetup(configuration)
        uplinkSetup = configuration.uplink.isEnabled ? UplinkSetup(configuration) : nil
        let stateFile = StateFile(path: directory.stateFile, bootID: try SystemCall.bootID())
        predecessor = Self.read(stateFile, log)
        var random = SystemRandomNumberGenerator()
        keeper = StateKeeper(
            stateFile,
            runtime: predecessor?.runtime ?? String(UInt32.random(in: .min ... .max, using: &random), radix: 16))
        chronicle = Chronicle(
            eventCapacity: configuration.runtime.eventBuffer, incidentCapacity: configuration.runtime.incidentBuffer,
            lastEvent: predecessor?.lastEvent ?? 0, loop: loop)
        outputLink = OutputLink(loop: loop, chronicle: chronicle)
        monitorLink = MonitorLink(loop: loop)
        uplinkLink = UplinkLink(loop: loop)
        telemetryDrain = TelemetryDrain(loop: loop)
        telemetryLosses = OutputLosses(loop: loop)
        serviceManager = try ServiceManagerLink(loop: loop, environment: environment)
        overflowDrain = OverflowDrain(loop: loop)
        losses = OutputLosses(loop: loop)
        var deliver: (Event) -> Void = { _ in }
        processes = ProcessTable(loop: loop, runtime: keeper.runtime) { deliver($0) }
        executions = ExecutionService(
            loop: loop,
            launcher: ExecutorLauncher(
                loop: loop, processes: processes, cgroups: cgroups, defaults: defaults, directory: directory,
                runtime: keeper.runtime))
        criticalCommand = CriticalCommand(
            loop: loop, processes: processes, cgroups: cgroups, defaults: defaults)
        deliver = { [unowned self] in driver.deliver($0) }
    }

    private static func read(_ stateFile: StateFile, _ log: DiagnosticLog) -> SurvivalRecord? {
        switch stateFile.read() {
        case .nothing: return nil
        case .found(let record): return record
        case .unusable(let reason):
            log.write(
                .error,
                "the state of the runtime before this one is of no use (\(reason)): its workers are started again")
            return nil
        }
    }

    /// Runs the tree of a configuration until it is asked to stop.
    /// - Returns: the process's exit status.
    package static func run(_ commandLine: SupervisorCommandLine) -> Int32 {
        switch commandLine {
        case .check(let path, let stateVersion):
            return check(configurationAt: path, stateVersion)
        case .printVersion:
            print("holdfastd \(HoldfastVersion.current)")
            return 0
        case .printHelp:
            print(SupervisorCommandLine.help)
            return 0
        case .invalid(let message):
            DiagnosticLog().write(.error, message)
            return 2
        case .run(let path):
            return run(configurationAt: path)
        }
    }

    private static let handledSignals = [
        SignalNumber.child, SignalNumber.terminate, SignalNumber.interrupt, SignalNumber.hangUp,
        SignalNumber.user2,
    ]

    private static func check(configurationAt path: String, _ stateVersion: Int?) -> Int32 {
        let report = Configuration.load(paths: [path], bundles: .leftOut)
        for problem in report.problems { DiagnosticLog().write(.error, problem.description) }
        guard report.configuration != nil else { return SupervisorCommandLine.configurationInvalidStatus }
        guard stateVersion.map(StateFile.canRead) ?? true else { return SupervisorCommandLine.stateUnreadableStatus }
        print("\(SupervisorCommandLine.checkAnswer) \(HoldfastVersion.current): the configuration is valid")
        return 0
    }

    private static func run(configurationAt path: String) -> Int32 {
        // At once: a reload must not end a runtime that is just reading its configuration.
        SignalSource.hold(handledSignals)
        let inherited = InheritedDescriptors.take()
        try? SystemCall.occupyStandardDescriptors()
        #if DEBUG
            if let faults = ProcessEnvironment.value("HOLDFAST_FAULTS") { FaultInjection.installForProcess(faults) }
        #endif
        let log = DiagnosticLog()
        let environment = ServiceEnvironment.current()
        let startMarker = StartMarker(in: environment.runtimeDirectory)
        let report = Configuration.load(paths: [path], bundles: .leftOut)
        guard let configuration = report.configuration else {
            for problem in report.problems { log.write(.error, problem.description) }
            return SupervisorCommandLine.configurationInvalidStatus
        }
        for problem in report.environmentProblems { log.write(.warning, problem.description) }
        do throws(SystemError) {
            let runtime = try SupervisorRuntime(
                configuration, report, path: path, log: log, environment: environment, inherited: inherited)
            try runtime.run(onStarted: { startMarker?.remove() })
            return 0
        } catch {
            log.write(.error, Self.startFailure(error, configuration))
            return 1
        }
    }

    private static func startFailure(_ error: SystemError, _ configuration: Configuration) -> String {
        guard error.isLockedByAnother else { return "cannot run: \(error)" }
        let directory = configuration.runtime.runtimeDirectory
        let holder = DirectoryLock.holder(of: directory).map { " (process \($0))" } ?? ""
        return "another holdfastd\(holder) already uses the runtime_dir \(directory); "
            + "stop it first, or choose another folder for this one"
    }

    private func run(onStarted: () -> Void) throws(SystemError) {
        try Orphans.becomeSubreaper()
        SignalSource.ignoreBrokenPipes()
        signals = try SignalSource(loop: loop, signals: Self.handledSignals) { [unowned self] in received($0) }
        connectOutput()
        connectMonitor()
        connectUplink()
        connectServiceManager()
        connectKeeper()
        try openControlSocket()
        takeRoster()
        let count = configuration.launches.count
        let workers = count == 1 ? "1 worker" : "\(count) workers"
        chronicle.record(.runtimeStarted, "holdfastd \(HoldfastVersion.current) started with \(workers)")
        log.write(.notice, "\(HoldfastVersion.current) runs \(workers); control socket \(directory.controlSocket)")
        for warning in warnings { log.write(.warning, warning) }
        // Where it fails, spawning is slower.
        try? SystemCall.withholdMemoryFromChildren()
        if let predecessor {
            try adopt(predecessor)
        } else {
            try removeLeftovers()
            driver.deliver(.started)
        }
        releaseUnlessProtected()
        probes.configure(configuration.probes)
        // After what was there before has been ended, theirs too.
        connectExecutors()
        connectDeployments()
        commit()
        serviceManager.started()
        onStarted()
        // Reading the configuration took many times what is kept of it, and code that is not used again.
        SystemCall.releaseMemory()
        while !isDown {
            commit()
            driver.recordReports()
            probes.follow(driver.tree)
            processes.forgetFormerPids()
            driver.rearm()
            serviceManager.turnEnded()
            serviceManager.store.flush()
            try loop.runOnce(timeout: nil)
        }
        removeEscaped()
        commit()
        driver.recordReports()
        control?.close()
        log.write(.notice, "stopped")
    }

    private func received(_ signal: SignalInfo) {
        switch signal.signal {
        case SignalNumber.child:
            processes.childrenEnded()
            cgroups.sweep()
            checkSystemProcessesRun()
        case SignalNumber.hangUp: reloadBySignal()
        case SignalNumber.user2: upgrade(to: nil)
        default: stop(because: "\(SignalNumber.name(signal.signal)) from process \(signal.pid)")
        }
    }

    private func stop(because reason: String) {
        guard !isStopping else { return }
        isStopping = true
        // While somebody is there to log it.
        losses.close()
        telemetryLosses.close()
        executions.stop(because: "the runtime was stopped over it")
        deployments.stop()
        chronicle.record(.runtimeStopping, "\(reason): stopping everything in reverse order")
        log.write(.notice, "\(reason): stopping")
        driver.deliver(.shutdownRequested)
        serviceManager.stopping(atMost: longestStop)
    }

    private func openControlSocket() throws(SystemError) {
        let control: ControlServer
        do throws(SystemError) {
            control = try controlServer(for: configuration.runtime.controlGroupID)
        } catch {
            // Only root can give a file to a group that he is not in.
            guard !runsAsRoot, error.isPermissionDenied else { throw error }
            control = try controlServer(for: nil)
            isWithoutControlGroup = true
        }
        control.onMethod = { [unowned self] in perform($0, for: $1) }
        self.control = control
    }

    private func controlServer(for group: UInt32?) throws(SystemError) -> ControlServer {
        try ControlServer(
            path: directory.controlSocket, readingGroup: group, version: HoldfastVersion.current, loop: loop)
    }

    // MARK: Tree

    private func makeDriver() -> TreeDriver {
        var random = SystemRandomNumberGenerator()
        let specification = configuration.tree(system: systemSpecification)
        let tree =
            if let predecessor {
                SupervisorTree(specification, seed: random.next(), restoring: predecessor.tree)
            } else {
                SupervisorTree(specification, seed: random.next())
            }
        return TreeDriver(
            tree, loop: loop,
            perform: { [unowned self] in perform($0) }, record: { [unowned self] in record($0) })
    }

    private func perform(_ action: Action) {
        switch action {
        case .spawn(let worker, let instance): spawn(worker, instance)
        case .signalGroup(_, let instance, let signal): processes.signalGroup(instance, signal.rawValue)
        case .killGroup(_, let instance): processes.killGroup(instance)
        case .freezeGroup(_, let instance): processes.freezeGroup(instance)
        case .thawGroup(_, let instance): processes.thawGroup(instance)
        case .abandonGroup(_, let instance): processes.abandonGroup(instance)
        case .forgetWorker(let worker): forget(worker)
        case .report: break  // recorded by the driver, after all other actions
        case .completeShutdown: isDown = true
        }
    }

    private func record(_ report: Report) {
        recorder.record(report)
        noteCrashLoop(report)
        if case .workerChanged(let worker, _, _) = report { monitorLink.workersChanged([worker]) }
    }

    private var recorder: ReportRecorder {
        ReportRecorder(
            chronicle: chronicle,
            name: { [unowned self] in name(of: $0) },
            supervisor: { [unowned self] in roster[$0]?.supervisor ?? "" },
            pid: { [unowned self] in processes.formerPid(of: $0).map(Int.init) },
            outOfMemory: { [unowned self] in processes.outOfMemory(of: $0) },
            requestTail: { [unowned self] in requestTail(of: $0, $1, for: $2) },
            onReload: { [unowned self] in lastReload = $0 })
    }

    func name(of worker: WorkerID) -> String {
        driver.tree.specification(of: worker)?.name ?? roster[worker]?.name ?? "?"
    }

    /// Notes who is in the tree, before and after it changes.
    func takeRoster() {
        for worker in driver.status.workers {
            roster[worker.id] = RosterEntry(name: worker.name, supervisor: worker.supervisor)
        }
    }

    private func connectKeeper() {
        keeper.snapshot = { [unowned self] in survivalRecord }
        processes.onGone = { [unowned self] in
            serviceManager.store.remove(.process(of: $0))
            throttle.forget($0)
        }
    }

    private func forget(_ worker: WorkerID) {
        guard let name = roster.removeValue(forKey: worker)?.name else { return }
        chronicle.forget(name)
        losses.close(name)
        telemetryLosses.close(name)
        monitorLink.workerLeft(worker, name)
        guard let resource = resources.removeValue(forKey: worker) else { return }
        if let registration = resource.notifyRegistration { loop.unregister(registration) }
        outputLink.remove(name)
        serviceManager.store.remove(.notifySocket(of: name))
        serviceManager.store.remove(.output(of: name))
        if resource.telemetry != nil {
            uplinkLink.remove(name)
            serviceManager.store.remove(.telemetrySocket(of: name))
        }
        resource.remove()
    }

    func statusReport() -> StatusReport {
        let runtime = RuntimeReport(
            version: HoldfastVersion.current, pid: Int(SystemCall.processID()),
            state: isStopping ? "stopping" : "running",
            uptime: startedAt.duration(to: loop.now).inSeconds, name: configuration.runtime.name,
            warnings: [lostOutputWarning, unprotectedWarning, deafWarning].compactMap { $0 } + warnings)
        let reporter = StatusReporter(
            now: loop.now,
            pid: { [unowned self] in processes.pid(of: $0).map(Int.init) },
            statusText: { [unowned self] in resources[$0]?.statusText })
        return reporter.report(runtime, driver.status)
    }

    // MARK: Configuration

    /// Applies the configuration as it is on disk now. An invalid one changes nothing.
    func reload() throws(RuntimeError) -> ReloadReport {
        serviceManager.reloading()
        defer { serviceManager.reloaded() }
        let report = Configuration.load(paths: [configurationPath])
        guard let new = report.configuration else {
            throw .configurationInvalid(problems: report.problems.map(\.description))
        }
        return take(new, report)
    }

    /// Brings everything to a configuration that is valid.
    func take(_ new: Configuration, _ report: ConfigurationReport) -> ReloadReport {
        let waiting = configuration.runtime.keysThatWaitForAStart(new.runtime).map {
            "\($0) takes effect when holdfastd is started again"
        }
        let former = configuration
        configuration = new
        texts = report.textsAlone
        outputSetup = OutputSetup(new)
        monitorSetup = MonitorSetup()
        uplinkSetup = new.uplink.isEnabled ? UplinkSetup(new) : nil
        driver.deliver(.reloaded(new.tree(system: systemSpecification)))
        driver.recordReports()
        takeRoster()
        refreshOutputs()
        probes.configure(new.probes)
        refreshMonitor()
        if runsUplink { refreshUplink() } else { uplinkLink.disconnect() }
        refreshTelemetry()
        configureExecutors()
        configureDeployments()
        applyLimits(exceptUnchanged: former.launches)
        throttleAll()
        releaseUnlessProtected()
        SystemCall.releaseMemory()
        lastReload.noteAdjusted {
            former.shedOrders[$0] != new.shedOrders[$0] || former.probes[$0] != new.probes[$0]
                || former.telemetry[$0] != new.telemetry[$0]
                || former.launches[$0]?.groupLimits != new.launches[$0]?.groupLimits
        }
        // Holdfast's own processes are no concern of the file.
        lastReload.unchanged.removeAll(where: SystemSupervisor.includes)
        let warnings = report.environmentProblems.map(\.description) + waiting
        for warning in warnings {
            log.write(.warning, warning)
            chronicle.record(.warning, "reloaded: \(warning)")
        }
        return lastReload.report(warnings)
    }

    private func reloadBySignal() {
        do throws(RuntimeError) {
            _ = try reload()
        } catch {
            guard case .configurationInvalid(let problems) = error else { return }
            for problem in problems { log.write(.error, problem) }
            chronicle.record(.warning, "the new configuration is invalid and was not applied: \(problems.first ?? "")")
        }
    }
}
