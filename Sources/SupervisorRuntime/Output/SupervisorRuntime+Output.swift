import Configuration
import ControlProtocol
import LinuxSystem
import MonotonicTime
import Supervision

/// The runtime's side of `holdfast-output`.
extension SupervisorRuntime {
    private static var standardError: Int32 { 2 }
    private static var channelNumber: Int32 { 3 }
    /// How long `holdfast-output` may be stopped before it is replaced.
    private static var longestStop: Duration { .seconds(10) }

    func connectOutput() {
        outputLink.onConnect = { [unowned self] in
            refreshOutputs()
            for (worker, resource) in resources {
                guard let instance = driver.tree.instance(of: worker), let pid = processes.pid(of: instance) else {
                    continue
                }
                outputLink.started(resource.name, pid: Int(pid), instance)
            }
            outputLink.logEvents()
        }
        outputLink.onMissed = { [unowned self] in chronicle.recordMissed($0) }
        outputLink.onReady = { [unowned self] in
            overflowDrain.stop()
            // It may have a user that cannot reach its notify socket (a runtime_dir below somebody's home).
            guard let output = driver.tree.worker(named: OutputWorker.name),
                let instance = driver.tree.instance(of: output)
            else { return }
            processes.reportStart(of: instance)
            driver.deliver(.notified(output, instance, .ready))
        }
        outputLink.onDisconnect = { [unowned self] in overflowDrain.start() }
        losses.report = { [unowned self] in chronicle.recordLoss($0) }
        outputLink.onLost = { [unowned self] in losses.note($1, of: $0) }
        outputLink.onWarning = { [unowned self] message in
            chronicle.record(.warning, worker: OutputWorker.name, message)
        }
        overflowDrain.fifos = { [unowned self] in
            resources.values.compactMap { resource in
                resource.fifo.rawValue.map { (worker: resource.name, descriptor: $0) }
            }
        }
        overflowDrain.onLost = { [unowned self] worker, bytes in
            losses.note(LossLedger.Share(lines: 0, bytes: bytes, because: "no holdfast-output"), of: worker)
        }
        chronicle.onEvent = { [unowned self] event in
            outputLink.logEvents()
            serviceManager.stateChanged()
            control?.eventAppended()
        }
    }

    /// The same binary under another name: processes that share their pages cost little together.
    /// Its file is found without its path, which its user may have no right to.
    func spawnOutput(_ worker: WorkerID, _ instance: InstanceID) throws(SystemError) {
        let resource = try resource(of: worker, OutputWorker.name)
        overflowDrain.start()
        if outputSetup.folder.isGone { outputSetup = OutputSetup(configuration) }
        let channel = try outputLink.connect()
        var request = SpawnRequest(
            executable: SystemConfinement.ownProgram, arguments: [OutputWorker.name],
            environment: [
                "PATH=\(WorkerLaunch.defaultSearchPath)", "HOLDFAST_WORKER=\(OutputWorker.name)",
                "HOLDFAST_INSTANCE=\(processes.mark(of: instance))", "NOTIFY_SOCKET=\(resource.notifySocket.path)",
            ])
        outputSetup.apply(to: &request)
        defaults.restore(in: &request)
        request.output = .descriptors(output: Self.standardError, error: Self.standardError)
        request.inherited = [(source: channel.rawValue, target: Self.channelNumber)]
        try processes.spawn(worker, instance, request, cgroup: cgroups.make(for: OutputWorker.name, instance))
    }

    /// Tells `holdfast-output` everything that it has to know: after its start, and after a reload.
    func refreshOutputs() {
        outputLink.configure(configuration, outputSetup.folder)
        for resource in resources.values {
            guard let output = configuration.outputs[resource.name] else { continue }
            outputLink.add(resource.name, output, reading: resource.fifo)
        }
    }

    /// Tells whoever drains the FIFO where the output of the next process begins. Before it is cloned, or its first words
    /// might come before the mark. A full FIFO takes none: then the two are told apart when the start is announced.
    func markOutput(of resource: WorkerResources, from instance: InstanceID) {
        guard let fifo = resource.fifo.rawValue else { return }
        _ = try? SystemCall.write(fifo, OutputMark(instance: instance.rawValue).bytes)
    }

    // MARK: Stops

    /// An operator has stopped it: nothing starts it again but another request.
    var outputIsUnwanted: Bool {
        !isStopping && driver.status.workers.first { $0.name == OutputWorker.name }?.state == .stopped
    }

    /// For `holdfast status`; `nil` while somebody takes the workers' output, or will in a moment.
    var lostOutputWarning: String? {
        guard outputIsUnwanted else { return nil }
        return "\(OutputWorker.name) was stopped by an operator, and what workers print is lost until "
            + "holdfast worker start \(OutputWorker.name)"
    }

    /// SIGCHLD: whether somebody has stopped `holdfast-output` (kill -STOP, a terminal). What is stopped reads nothing
    /// and cannot say so; no alarm of its own reaches it. A pause by the operator is meant, and lasts.
    func checkOutputRuns() {
        guard let worker = driver.tree.worker(named: OutputWorker.name),
            let instance = driver.tree.instance(of: worker),
            let pid = processes.pid(of: instance), let status = ProcessStatus(of: pid)
        else { return }
        guard status.isStopped != isOutputStopped else { return }
        isOutputStopped = status.isStopped
        if let outputStopTimer { loop.cancel(outputStopTimer) }
        guard isOutputStopped else {
            if outputLink.isReady { overflowDrain.stop() }
            return
        }
        overflowDrain.start()
        outputStopTimer = loop.schedule(at: loop.now + Self.longestStop) { [unowned self] in
            guard driver.status.workers.first(where: { $0.id == worker })?.state != .paused else { return }
            driver.deliver(.notified(worker, instance, .watchdogTriggered))
        }
    }

    /// The last lines before a failure belong to its incident.
    func requestTail(of worker: String, _ instance: InstanceID, for incident: Int) {
        outputLink.requestTail(of: worker, instance, lines: 20, bytes: 4096) { [unowned self] lines in
            guard !lines.isEmpty else { return }
            chronicle.attach(lastOutput: lines, to: incident)
            chronicle.record(
                .incidentCompleted, worker: worker, "its last output is in incident \(incident)",
                details: ["incident": .int(Int64(incident))])
        }
    }
}
