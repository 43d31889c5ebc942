import ControlProtocol
import DeviceConfiguration
import LinuxSystem
import MonitorProtocol
import MonotonicTime
import SelfPreservation
import Supervision

/// What `holdfast-monitor` asks for and reports.
extension SupervisorRuntime {
    func take(_ report: MonitorReport) {
        switch report {
        case .ready:
            systemProcessIsReady(MonitorWorker.name)
            expectWordOnThrottling()
        case .shed(let worker, let cause): shed(worker, cause)
        case .restore(let worker, let cause): restore(worker, cause, "\(cause.rawValue) has let it go")
        case .throttle(let isOn):
            preservation.throttlingWasSaid()
            setThrottled(isOn)
        case .levelChanged(let cause, let from, let to, let why): record(cause, from, to, why)
        case .noted(let note, let worker, let message): record(note, worker, message)
        case .unhealthy(let worker, let instance, let reason):
            guard let id = driver.tree.worker(named: worker) else { return }
            driver.deliver(.notified(id, InstanceID(rawValue: instance), .unhealthy(reason)))
        case .warning(let message): chronicle.record(.warning, worker: MonitorWorker.name, message)
        case .answer, .unknown: break
        }
    }

    // MARK: Shedding

    private func shed(_ name: String, _ cause: Cause) {
        // Whom it may not pause, the tree does not pause; that is no news then.
        guard let worker = driver.tree.worker(named: name),
            driver.tree.specification(of: worker)?.isEssential == false
        else { return }
        driver.deliver(.pauseRequested(worker, cause.reason))
        chronicle.record(
            .workerShed, worker: name, "paused for \(cause.rawValue)", details: ["cause": .string(cause.rawValue)])
    }

    private func restore(_ name: String, _ cause: Cause, _ because: String) {
        guard let worker = driver.status.workers.first(where: { $0.name == name }),
            worker.pauseReasons.contains(cause.reason)
        else { return }
        driver.deliver(.resumeRequested(worker.id, cause.reason))
        chronicle.record(
            .workerRestored, worker: name, because, details: ["cause": .string(cause.rawValue)])
    }

    /// Without protection nobody would ever bring back what was shed.
    func releaseUnlessProtected() {
        guard !configuration.preservation.isEnabled else { return }
        for worker in driver.status.workers {
            for cause in Cause.allCases where worker.pauseReasons.contains(cause.reason) {
                restore(worker.name, cause, "[preservation] is switched off: \(cause.rawValue) no longer pauses it")
            }
        }
        setThrottled(false)
        if !runsMonitor { monitorLink.disconnect() }
    }

    // MARK: Telling

    private func record(_ cause: Cause, _ from: Level, _ to: Level, _ why: String) {
        let details: JSONObject = [
            "cause": .string(cause.rawValue), "from": .string(from.name), "to": .string(to.name), "why": .string(why),
        ]
        chronicle.record(.levelChanged, "\(cause.rawValue): \(from.name) -> \(to.name): \(why)", details: details)
        guard preservation.note(to, of: cause, at: loop.now) else { return }
        let message = "critical for \(cause.rawValue), all workers that are not essential are paused: \(why)"
        chronicle.record(.alert, message, details: details)
        log.write(.error, message)
        criticalCommand.run(configuration.preservation, cause: cause, why: why)
    }

    private func record(_ note: MonitorReport.Note, _ worker: String?, _ message: String) {
        chronicle.record(note.kind, worker: worker, message)
        if note == .sensorsLost { log.write(.error, message) }
    }

    // MARK: Throttling

    func setThrottled(_ isOn: Bool) {
        guard isOn != throttle.isOn else { return }
        throttle.isOn = isOn
        throttleAll()
        chronicle.record(
            .throttled,
            isOn
                ? "workers that are not essential get less of the processor (\(throttle.words ?? "none runs"))"
                : "workers get as much of the processor as before",
            details: ["throttled": .bool(isOn), "by": throttle.words.map { .string($0) } ?? .null])
    }

    /// Brings every worker to what holds now.
    func throttleAll() {
        forEachWorkerProcess { process, specification, share in
            throttle.apply(to: process, share, isExempt: specification.isEssential)
        }
    }

    /// Workers that a holdfastd before this one has throttled: whether that still has to be is for a new monitor to say.
    func takeOverThrottled() {
        forEachWorkerProcess { process, _, share in throttle.takeOver(process, share) }
    }

    private func forEachWorkerProcess(_ body: (WorkerProcess, WorkerSpecification, WorkerThrottle.Share) -> Void) {
        for (worker, instance) in driver.tree.liveInstances {
            guard let process = processes[instance], let specification = driver.tree.specification(of: worker),
                let launch = configuration.launches[specification.name]
            else { continue }
            body(process, specification, launch.share)
        }
    }

    /// A new monitor begins at normal: where it finds the device so, it says nothing, and who was throttled before it came
    /// would stay so.
    private func expectWordOnThrottling() {
        guard throttle.isOn else { return }
        _ = loop.schedule(at: loop.now + configuration.preservation.policy.sensorTimeout) { [unowned self] in
            if monitorLink.isReady, !preservation.hasSpokenOfThrottling { setThrottled(false) }
        }
    }
}

extension MonitorReport.Note {
    fileprivate var kind: EventKind {
        switch self {
        case .sensorFailed: .sensorFailed
        case .sensorRecovered: .sensorRecovered
        case .sensorsLost: .alert
        case .probeFailed: .probeFailed
        case .probeRecovered: .probeRecovered
        }
    }
}

extension WorkerLaunch {
    /// What of the processors it has when nobody throttles it.
    var share: WorkerThrottle.Share {
        WorkerThrottle.Share(niceness: nice, limit: groupLimits.processorPercent.map { Double($0) })
    }
}
