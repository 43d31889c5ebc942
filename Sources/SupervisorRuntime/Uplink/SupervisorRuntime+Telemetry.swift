import ControlProtocol
import DeviceConfiguration
import LinuxSystem
import Supervision
import UplinkProtocol

/// The sockets that workers send their telemetry to: made and held here, read by `holdfast-uplink`.
extension SupervisorRuntime {
    /// Brings a worker's socket to what the configuration says now: makes it, takes over the one of a supervisor before us,
    /// or removes it.
    func refreshTelemetry(of resource: WorkerResources) {
        guard !SystemSupervisor.includes(resource.name) else { return }
        let telemetry = runsUplink ? configuration.telemetry[resource.name] : nil
        if let telemetry, telemetry.source != .off {
            if resource.telemetry == nil { resource.telemetry = makeTelemetrySocket(for: resource) }
            if let socket = resource.telemetry {
                uplinkLink.add(resource.name, socket, TelemetryLimits(rate: telemetry.rate))
            }
        } else if resource.telemetry != nil {
            uplinkLink.remove(resource.name)
            serviceManager.store.remove(.telemetrySocket(of: resource.name))
            resource.telemetry = nil
        }
        refreshPrintedTelemetry(of: resource)
    }

    private func makeTelemetrySocket(for resource: WorkerResources) -> TelemetrySocket? {
        let (name, path) = (resource.name, directory.telemetrySocket(of: resource.name))
        let former = inherited.take(StoredDescriptor.telemetrySocket(of: name).name) {
            TelemetrySocket(adopting: $0, at: path)
        }
        do throws(SystemError) {
            let socket = if let former { former } else { try TelemetrySocket(path: path) }
            store(.telemetrySocket(of: name)) { [weak resource] in resource?.telemetry?.descriptor.rawValue }
            return socket
        } catch {
            chronicle.record(.warning, worker: name, "its telemetry socket cannot be made: \(error)")
            return nil
        }
    }

    /// Has `holdfast-output` send on what of the worker's output is telemetry, or stop doing so.
    func refreshPrintedTelemetry(of resource: WorkerResources) {
        let isPrinted = configuration.telemetry[resource.name]?.source == .stdout
        if isPrinted, let socket = try? resource.telemetry?.connect() {
            outputLink.takeTelemetry(from: resource.name, to: SharedDescriptor(socket))
            resource.printsTelemetry = true
        } else if resource.printsTelemetry {
            outputLink.takeTelemetry(from: resource.name, to: nil)
            resource.printsTelemetry = false
        }
    }

    /// After a reload.
    func refreshTelemetry() {
        for resource in resources.values { refreshTelemetry(of: resource) }
        refreshPluginTelemetry()
    }

    func connectTelemetryDrain() {
        telemetryDrain.sockets = { [unowned self] in
            resources.values.compactMap { resource in
                resource.telemetry.map { (worker: resource.name, socket: $0) }
            } + pluginTelemetry.map { (worker: $0.key, socket: $0.value) }
        }
        telemetryDrain.isRead = { [unowned self] in uplinkLink.isConnected }
        telemetryDrain.onLost = { [unowned self] worker, datagrams in
            telemetryLosses.note(
                LossLedger.Share(lines: datagrams, bytes: 0, because: "no \(UplinkWorker.name)"), of: worker)
        }
        telemetryLosses.report = { [unowned self] loss in
            chronicle.record(
                .telemetryLost, worker: loss.worker,
                "\(loss.lines) \(loss.lines == 1 ? "datagram" : "datagrams") of its telemetry were dropped unread: there "
                    + "was no \(UplinkWorker.name) to take them",
                details: ["datagrams": .int(Int64(loss.lines)), "reason": "unread"])
        }
    }
}
