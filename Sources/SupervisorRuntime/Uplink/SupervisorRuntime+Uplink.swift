import ControlProtocol
import DeviceConfiguration
import LinuxSystem
import Supervision
import UplinkProtocol

/// The runtime's side of `holdfast-uplink`.
extension SupervisorRuntime {
    var runsUplink: Bool { configuration.uplink.isEnabled }

    func connectUplink() {
        uplinkLink.onConnect = { [unowned self] in
            refreshUplink()
            deployments.keeper.uplinkStarted()
        }
        uplinkLink.onReport = { [unowned self] in take($0) }
        uplinkLink.onDisconnect = { [unowned self] in telemetryDrain.start() }
        connectTelemetryDrain()
    }

    func spawnUplink(_ worker: WorkerID, _ instance: InstanceID) throws(SystemError) {
        telemetryDrain.start()
        if uplinkSetup?.isGone ?? true { uplinkSetup = UplinkSetup(configuration) }
        guard let setup = uplinkSetup else { return }
        let channel = try uplinkLink.connect()
        try spawnSystemProcess(UplinkWorker.name, worker, instance, setup.confinement, channel: channel)
    }

    /// Tells `holdfast-uplink` everything that it has to know: after its start, and after a reload.
    func refreshUplink() {
        guard uplinkLink.isConnected, let settings = uplinkSettings else { return }
        uplinkLink.configure(settings)
        refreshTelemetry()
        uplinkLink.complete()
    }

    private var uplinkSettings: UplinkSettings? {
        guard let setup = uplinkSetup else { return nil }
        let section = configuration.uplink
        return UplinkSettings(
            name: configuration.runtime.name, folder: setup.folder.path, spoolFolder: setup.spools.path,
            central: section.central, proxy: section.proxy, labels: section.labels,
            flushInterval: section.flushInterval, metricsInterval: section.metricsInterval,
            events: UplinkSettings.Queue(section.events), readings: UplinkSettings.Queue(section.readings))
    }

    // MARK: Reports

    private func take(_ report: UplinkReport) {
        switch report {
        case .ready:
            telemetryDrain.stop()
            systemProcessIsReady(UplinkWorker.name)
            executions.uplinkStarted()
        case .openControl(let id): openControl(id)
        case .noted(let note, let message): chronicle.record(note.kind, message)
        case .warning(let message): chronicle.record(.warning, worker: UplinkWorker.name, message)
        case .answer, .unknown: break
        }
    }

    /// It is no client of the control socket: it gets connections of its own, on which it may do what is its business.
    private func openControl(_ id: Int) {
        let connection = openControl(
            UplinkWorker.methods, atMost: UplinkWorker.mostControlConnections, for: UplinkWorker.name)
        if let connection { uplinkLink.handOver(connection, id: id) }
    }

    // MARK: Questions

    /// Passes a question of a client on; the reply comes when the uplink has answered.
    func ask(
        _ question: UplinkRequest.Question, for connection: ControlConnection,
        _ reply: @escaping (JSONValue) -> VarlinkReply?
    ) {
        if let objection = uplinkObjection {
            return connection.send(RuntimeError.uplinkUnavailable(message: objection).reply)
        }
        connection.deferReply()
        uplinkLink.ask(question) { text in
            let json = text.flatMap { try? JSONValue.parse(Array($0.utf8), limits: .reply) }
            let unanswered = RuntimeError.uplinkUnavailable(
                message: "\(UplinkWorker.name) does not answer; it is replaced when it hangs, try again in a moment")
            connection.send(json.flatMap(reply) ?? unanswered.reply)
        }
    }

    func enrol(_ token: String, for connection: ControlConnection) {
        ask(.enrol(token: token), for: connection) { answer in
            guard let refused = answer["refused"] else { return nil }
            guard let reason = refused.stringValue else { return VarlinkReply() }
            return RuntimeError.enrolmentRefused(message: reason).reply
        }
    }

    private var uplinkObjection: String? {
        if uplinkLink.isReady { return nil }
        guard runsUplink else { return "\(UplinkWorker.name) does not run, since [uplink] enabled is false" }
        return isUnwanted(UplinkWorker.name)
            ? "\(UplinkWorker.name) was stopped by an operator; start it: holdfast worker start \(UplinkWorker.name)"
            : "\(UplinkWorker.name) is not running; it is restarted, try again in a moment"
    }

    /// What all of Holdfast's own processes lack is said once.
    var confinementWarningsOfUplink: [String] {
        guard runsUplink, let setup = uplinkSetup else { return [] }
        let said = outputSetup.warnings + confinementWarningsOfMonitor
        return setup.warnings.filter { !said.contains($0) }
    }

    /// For `holdfast status`.
    var deafWarning: String? {
        guard runsUplink, isUnwanted(UplinkWorker.name) else { return nil }
        return
            "\(UplinkWorker.name) was stopped by an operator: central hears nothing, and what workers report is lost until "
            + "holdfast worker start \(UplinkWorker.name)"
    }
}

extension UplinkSettings.Queue {
    fileprivate init(_ queue: UplinkSection.Queue) {
        self.init(
            quota: Int(queue.quota), refusesWhenFull: queue.whenFull == .refuse, timeToLive: queue.timeToLive)
    }
}

extension UplinkReport.Note {
    fileprivate var kind: EventKind {
        switch self {
        case .enrolled: .uplinkEnrolled
        case .enrolmentRefused: .uplinkRefused
        case .connected: .uplinkConnected
        case .disconnected: .uplinkDisconnected
        case .loss: .telemetryLost
        }
    }
}
