import ControlProtocol
import DeviceConfiguration
import LinuxSystem
import MonotonicTime
import Supervision

/// The runtime's side of `holdfast-output`.
extension SupervisorRuntime {
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
            systemProcessIsReady(OutputWorker.name)
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

    func spawnOutput(_ worker: WorkerID, _ instance: InstanceID) throws(SystemError) {
        overflowDrain.start()
        if outputSetup.folder.isGone { outputSetup = OutputSetup(configuration) }
        let channel = try outputLink.connect()
        try spawnSystemProcess(OutputWorker.name, worker, instance, outputSetup.confinement, channel: channel)
    }

    /// Tells `holdfast-output` everything that it has to know: after its start, and after a reload.
    func refreshOutputs() {
        outputLink.configure(configuration, outputSetup.folder)
        for resource in resources.values {
            guard let output = configuration.outputs[resource.name] else { continue }
            // Before the FIFO: its first line may be telemetry.
            refreshPrintedTelemetry(of: resource)
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

    /// For `holdfast status`; `nil` while somebody takes the workers' output, or will in a moment.
    var lostOutputWarning: String? {
        guard isUnwanted(OutputWorker.name) else { return nil }
        return "\(OutputWorker.name) was stopped by an operator, and what workers print is lost until "
            + "holdfast worker start \(OutputWorker.name)"
    }

    /// Somebody has stopped it, or let it go on.
    func outputStopped(_ isStopped: Bool) {
        if isStopped {
            overflowDrain.start()
        } else if outputLink.isReady {
            overflowDrain.stop()
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
