import ControlProtocol
import DeviceConfiguration
import LinuxSystem
import MonitorProtocol
import SelfPreservation
import Supervision

/// What `holdfast-monitor` is told, and asked.
extension SupervisorRuntime {
    var runsMonitor: Bool {
        // It makes the probes over the network, too.
        configuration.preservation.needsMonitor
            || configuration.probes.values.contains { $0.contains { $0.address != nil } }
    }

    func connectMonitor() {
        monitorLink.onConnect = { [unowned self] in refreshMonitor() }
        monitorLink.describe = { [unowned self] in describe($0) }
        monitorLink.onReport = { [unowned self] in take($0) }
        criticalCommand.onTrouble = { [unowned self] in
            chronicle.record(.warning, $0)
            log.write(.warning, $0)
        }
    }

    func spawnMonitor(_ worker: WorkerID, _ instance: InstanceID) throws(SystemError) {
        preservation.monitorStarts(at: loop.now)
        let channel = try monitorLink.connect()
        try spawnSystemProcess(MonitorWorker.name, worker, instance, monitorSetup.confinement, channel: channel)
    }

    /// Tells `holdfast-monitor` everything that it has to know: after its start, and after a reload.
    func refreshMonitor() {
        guard monitorLink.isConnected else { return }
        monitorLink.configure(monitorSettings())
        openPressureTriggers()
        monitorLink.workersChanged(driver.status.workers.map(\.id))
    }

    private func monitorSettings() -> MonitorSettings {
        let settings = configuration.preservation
        return MonitorSettings(
            runtimeName: configuration.runtime.name, policy: settings.policy, interval: settings.interval,
            sensors: settings.sensors.map {
                SensorRule(pattern: $0.match, offset: $0.offset, isIgnored: $0.isIgnored)
            },
            metricsPort: settings.metricsPort, shed: shedWorkers())
    }

    /// Who is paused for each cause, as the monitor before this one, or the one of an earlier holdfastd, has left them. In the
    /// order in which they would have gone.
    private func shedWorkers() -> [Cause: [String]] {
        let workers = driver.status.workers.enumerated().sorted { left, right in
            let (first, second) = (shedOrder(of: left.element.name), shedOrder(of: right.element.name))
            return first != second ? first < second : left.offset > right.offset
        }.map(\.element)
        var shed: [Cause: [String]] = [:]
        var room = Self.mostShedBytes
        for cause in Cause.allCases {
            for worker in workers where worker.pauseReasons.contains(cause.reason) {
                room -= worker.name.utf8.count + 3
                // More than a packet takes. They come back now, and are shed again if that was wrong.
                if room < 0 {
                    driver.deliver(.resumeRequested(worker.id, cause.reason))
                } else {
                    shed[cause, default: []].append(worker.name)
                }
            }
        }
        return shed
    }

    private static var mostShedBytes: Int { 48 * 1024 }

    private func shedOrder(of worker: String) -> Int { configuration.shedOrders[worker] ?? 0 }

    /// The kernel says when tasks wait for too long; the triggers take a privilege, and so are opened here. The monitor looks
    /// closer once one has fired.
    private func openPressureTriggers() {
        pressureWarning = nil
        for resource in PressureResource.allCases {
            let ladder = configuration.preservation.policy.quantities[resource.quantity]
            guard let lowest = ladder?.thresholds.values.map(\.enter).min() else { continue }
            do throws(SystemError) {
                let trigger = try PressureTrigger.open(resource.rawValue, share: lowest)
                monitorLink.add(SharedDescriptor(trigger), of: resource)
            } catch {
                pressureWarning =
                    "this kernel does not count pressure (\(error)): thresholds for memory, cpu and io are never reached; "
                    + "some kernels count it when started with psi=1"
            }
        }
    }

    // MARK: Workers

    private func describe(_ workers: [WorkerID]) -> [MonitoredWorker] {
        let wanted = Set(workers)
        return driver.status.workers.compactMap { status in
            guard wanted.contains(status.id), configuration.launches[status.name] != nil else { return nil }
            let process = status.instance.flatMap { processes[$0] }
            return MonitoredWorker(
                name: status.name, supervisor: status.supervisor, state: status.state.rawValue,
                isEssential: status.isEssential, shedOrder: shedOrder(of: status.name), restarts: status.restarts,
                instance: status.instance?.rawValue, pid: process.map { Int($0.main.pid) },
                cgroup: process?.group.cgroup?.path,
                probes: configuration.probes[status.name]?.compactMap(NetworkProbe.init) ?? [])
        }
    }

    // MARK: Questions

    /// Passes a question of a client on; the reply comes when the monitor has answered.
    func ask(
        _ question: MonitorRequest.Question, for connection: ControlConnection,
        _ reply: @escaping (String) -> VarlinkReply?
    ) {
        if let objection = monitorObjection {
            return connection.send(RuntimeError.monitorUnavailable(message: objection).reply)
        }
        connection.deferReply()
        monitorLink.ask(question) { text in
            let unanswered = RuntimeError.monitorUnavailable(
                message: "\(MonitorWorker.name) does not answer; it is replaced when it hangs, try again in a moment")
            connection.send(text.flatMap(reply) ?? unanswered.reply)
        }
    }

    func healthReply(_ text: String) -> VarlinkReply? {
        guard let json = try? JSONValue.parse(Array(text.utf8), limits: .reply),
            var report = try? HealthReport(json: json)
        else { return nil }
        report.throttledBy = throttle.words
        for index in report.workers.indices {
            report.workers[index].probes += probeReports(of: report.workers[index].name)
        }
        return VarlinkReply(report)
    }

    private var monitorObjection: String? {
        if monitorLink.isReady { return nil }
        guard runsMonitor else { return "\(MonitorWorker.name) does not run, since [preservation] enabled is false" }
        return isUnwanted(MonitorWorker.name)
            ? "\(MonitorWorker.name) was stopped by an operator; start it: holdfast worker start \(MonitorWorker.name)"
            : "\(MonitorWorker.name) is not running; it is restarted, try again in a moment"
    }

    /// What both of Holdfast's own processes lack is said once.
    var confinementWarningsOfMonitor: [String] {
        guard runsMonitor else { return [] }
        return monitorSetup.confinement.warnings.filter { !outputSetup.warnings.contains($0) }
    }

    /// For `holdfast status`.
    var unprotectedWarning: String? {
        guard runsMonitor, isUnwanted(MonitorWorker.name) else { return nil }
        return
            "\(MonitorWorker.name) was stopped by an operator: nothing protects the device, and nothing that was shed comes "
            + "back, until holdfast worker start \(MonitorWorker.name)"
    }
}

extension Cause {
    /// What it is called in the tree.
    var reason: PauseReason {
        switch self {
        case .heat: .heat
        case .memory: .memory
        case .pressure: .pressure
        }
    }
}

extension PressureResource {
    fileprivate var quantity: Quantity {
        switch self {
        case .memory: .memoryPressure
        case .processor: .processorPressure
        case .disk: .diskPressure
        }
    }
}
