import ControlProtocol
package import LinuxSystem
import MonitorProtocol
import MonotonicTime
import Probing
import SelfPreservation
import SystemProcess

/// The process `holdfast-monitor`: watches sensors, pressure, disks and the workers' probes, and asks holdfastd to shed and
/// restore work. One event loop, and one thread for what may block; docs/monitor.md says what it promises.
package final class MonitorRuntime {
    /// Where the kernel tells of itself; other folders in tests.
    package struct Sources: Sendable {
        package var thermal = "/sys/class/thermal"
        package var proc = "/proc"
        /// Whether libsensors is asked.
        package var usesLibrary = true

        package init() {}
    }

    /// Workers with whose files open the process stays within its limits.
    private static let mostWithOpenFiles = 256
    private static let mostWarnings = 32
    /// Reports that may wait for holdfastd to read: all of 10,000 workers shed and restored, with room to spare.
    private static let longestQueue = 32 * 1024
    /// Sensors and probes have their turn in between.
    private static let packetsPerTurn = 64

    private let loop: EventLoop
    private let channel: SupervisorChannel<MonitorRequest, MonitorReport>
    private let notifier: ServiceNotifier
    private let deadman: DeadmanAlarm
    private let sources: Sources
    private let pressure: PressureWatch
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
    private var load: LoadAverage?
    private var server: MetricsServer?
    private var sampling: TimerID?
    private var coreTimer: TimerID?
    private var isComplete = false
    let survey: SensorSurvey
    private(set) var settings: MonitorSettings?
    private(set) var core: SelfPreservation?
    private(set) var workers = WorkerList()
    /// What cannot be done here, as told.
    private(set) var warnings: [String] = []

    /// Called with what an operator should know and the log may not tell.
    package var onWarning: (String) -> Void = { _ in }
    /// Called when only another process can go on.
    package var onHopeless: () -> Void = {}
    /// Called at the end of each round of readings.
    var onRoundEnded: () -> Void = {}

    /// - Parameters:
    ///   - channel: the socket to holdfastd.
    ///   - environment: how to tell holdfastd that this process is ready.
    ///   - deadman: ends the process when it hangs in its work.
    package init(
        loop: EventLoop, channel: UnixStream, environment: ServiceEnvironment,
        deadman: DeadmanAlarm = DeadmanAlarm(seconds: nil), sources: Sources = Sources()
    ) throws(SystemError) {
        self.loop = loop
        self.channel = SupervisorChannel(
            loop: loop, socket: channel, longestQueue: Self.longestQueue, packetsPerTurn: Self.packetsPerTurn)
        self.deadman = deadman
        self.sources = sources
        notifier = try ServiceNotifier(loop: loop, environment: environment)
        survey = SensorSurvey(loop: loop, thermalFolder: sources.thermal, usesLibrary: sources.usesLibrary)
        pressure = PressureWatch(loop: loop, folder: "\(sources.proc)/pressure")
        connectParts()
    }

    deinit {
        if let sampling { loop.cancel(sampling) }
        if let coreTimer { loop.cancel(coreTimer) }
        buffer.deallocate()
    }

    /// Begins to listen to holdfastd.
    package func start() throws(SystemError) {
        try channel.start()
    }

    package func finish() {
        notifier.send(["STOPPING=1"])
        loop.stop()
    }

    var now: MonotonicInstant { loop.now }
    /// The port that metrics are served on.
    var metricsPort: Int? { server?.port }

    private func connectParts() {
        channel.onRequest = { [weak self] request, descriptor in
            guard let self else { return }
            deadman.during { handle(request, descriptor) }
        }
        channel.onMalformed = { [weak self] in self?.warn($0) }
        channel.onClosed = { [weak self] in self?.finish() }
        channel.onOverflow = { [weak self] in self?.onHopeless() }
        survey.onEvent = { [weak self] in self?.apply($0) }
        survey.onWarning = { [weak self] in self?.warn($0) }
        survey.onHopeless = { [weak self] in self?.onHopeless() }
        survey.onRoundEnded = { [weak self] in self?.onRoundEnded() }
        pressure.onMeasured = { [weak self] in self?.apply(.measured($0, $1)) }
        pressure.onWarning = { [weak self] in self?.warn($0) }
    }

    // MARK: Requests

    private func handle(_ request: MonitorRequest, _ descriptor: SharedDescriptor?) {
        switch request {
        case .configure(let settings): configure(settings)
        case .pressureTrigger(let resource):
            guard let descriptor else { return warn("holdfastd sent no trigger for \(resource.rawValue) pressure") }
            pressure.take(descriptor, for: resource)
        case .worker(let worker): update(worker)
        case .forget(let name): workers.remove(name)?.end()
        case .workersComplete: completeWorkers()
        case .question(let id, .health): answer(id, healthReport().json.text)
        case .question(let id, .metrics): answer(id, metricsText())
        case .unknown(let type): warn("holdfastd sent the unknown message \(type); both must be of one version")
        }
    }

    private func configure(_ new: MonitorSettings) {
        let isFirst = settings == nil
        guard isFirst || new.withoutShed != settings?.withoutShed else { return }
        settings = new
        warnings = []
        if isFirst { core = SelfPreservation(new.policy, shed: new.shed, at: loop.now) }
        survey.configure(new)
        load = nil
        if new.policy.quantities[.load] != nil { openLoad() }
        serveMetrics(new.metricsPort)
        if !isFirst { apply(.policyChanged(new.policy)) }
        pressure.configure(new.policy)
        if isComplete { scheduleSample(at: loop.now) }
        guard isFirst else { return }
        channel.send(.ready)
        notifier.start()
    }

    private func openLoad() {
        do throws(SystemError) {
            load = try LoadAverage("\(sources.proc)/loadavg")
        } catch {
            warn("the rules for the load do nothing: \(error)")
        }
    }

    private func serveMetrics(_ port: Int?) {
        guard let port else {
            server = nil
            return
        }
        if let server, server.askedPort == port { return }
        server = nil
        do throws(SystemError) {
            server = try MetricsServer(loop: loop, port: port) { [weak self] in self?.metricsText() ?? "" }
        } catch {
            warn("metrics are not served: \(error)")
        }
    }

    private func update(_ description: MonitoredWorker) {
        let worker = workers[description.name] ?? WatchedWorker(description, loop: loop)
        if workers[description.name] == nil {
            worker.onProbe = { [weak self] in self?.report($1, of: $0, $2) }
            workers.add(worker)
        }
        worker.update(description, keepsOpen: workers.count <= MonitorRuntime.mostWithOpenFiles)
    }

    /// Only now the core learns of them: one that is missing from its list it would forget.
    private func completeWorkers() {
        apply(.workersChanged(sheddable))
        guard !isComplete, settings != nil else { return }
        isComplete = true
        scheduleSample(at: loop.now)
    }

    private var sheddable: [SheddableWorker] {
        workers.inOrder.filter { !$0.description.isEssential }.map {
            SheddableWorker(
                name: $0.description.name, order: $0.description.shedOrder,
                use: ($0.usage?.processorPercent ?? 0) / 100)
        }
    }

    private func answer(_ id: Int, _ text: String) {
        for (part, isLast) in PacketParts(text) { channel.send(.answer(id: id, part: part, isLast: isLast)) }
    }

    // MARK: Sampling

    private func scheduleSample(at instant: MonotonicInstant) {
        if let sampling { loop.cancel(sampling) }
        sampling = loop.schedule(at: instant) { [weak self] in
            guard let self else { return }
            deadman.during { self.sample(dueAt: instant) }
        }
    }

    private func sample(dueAt due: MonotonicInstant) {
        guard let settings else { return }
        // Where it was late, the next is not early.
        scheduleSample(at: max(due + settings.interval, loop.now))
        for worker in workers.inOrder { worker.usage?.sample(sources.proc, into: buffer, at: loop.now) }
        apply(.workersChanged(sheddable))
        let levels = core.map { core in { (quantity: Quantity) in core.level(of: quantity) == .normal } }
        if let levels { pressure.sample(where: levels) }
        if let value = load?.value { apply(.measured(.load, value)) }
        // Somebody else may have had the port.
        if server == nil { serveMetrics(settings.metricsPort) }
        survey.beginRound()
    }

    // MARK: The core

    private func apply(_ event: Event) {
        deadman.during { handle(event) }
    }

    private func handle(_ event: Event) {
        guard let actions = core?.handle(event, at: loop.now) else { return }
        for action in actions { perform(action) }
        if let coreTimer { loop.cancel(coreTimer) }
        coreTimer = core?.nextDeadline.map { deadline in
            loop.schedule(at: deadline) { [weak self] in self?.apply(.deadlineReached) }
        }
    }

    private func perform(_ action: Action) {
        guard let core, let settings else { return }
        switch action {
        case .shed(let worker, let cause): channel.send(.shed(worker: worker, cause))
        case .restore(let worker, let cause): channel.send(.restore(worker: worker, cause))
        case .throttle(let isOn): channel.send(.throttle(isOn))
        case .levelChanged(let cause, let from, let to):
            let why = PreservationWording(policy: settings.policy, status: core.status).why(cause)
            channel.send(.levelChanged(cause, from: from, to: to, why: why))
        case .sensorFailed(let sensor, let fault):
            let reading = survey.sensors.first { $0.name == sensor }?.reading
            let message = PreservationWording.failure(sensor, fault, reading: reading, policy: settings.policy)
            channel.send(.noted(.sensorFailed, worker: nil, message: message))
        case .sensorRecovered(let sensor):
            channel.send(.noted(.sensorRecovered, worker: nil, message: "\(sensor) is believed again"))
        case .allSensorsLost:
            let level = core.status.causes.first { $0.cause == .heat }?.level ?? .normal
            let message = PreservationWording.blindness(level: level, settings.policy)
            channel.send(.noted(.sensorsLost, worker: nil, message: message))
        }
    }

    private func report(_ runner: ProbeRunner, of worker: WatchedWorker, _ news: ProbeRunner.News) {
        let name = worker.description.name
        switch news {
        case .failing(let failure):
            channel.send(
                .noted(.probeFailed, worker: name, message: "the probe \(runner.probe.name) fails: \(failure)"))
        case .recovered:
            channel.send(
                .noted(.probeRecovered, worker: name, message: "the probe \(runner.probe.name) succeeds again"))
        case .unhealthy(let failure):
            channel.send(
                .unhealthy(
                    worker: name, instance: worker.description.instance ?? 0,
                    reason: "the probe \(runner.probe.name) has failed \(runner.clock.failures) times: \(failure)"))
        }
    }

    private func warn(_ message: String) {
        // Once for each configuration: what cannot be done now may not be for ever, but nobody wants to read it a thousand times.
        guard !warnings.contains(message), warnings.count < MonitorRuntime.mostWarnings else { return }
        warnings.append(message)
        channel.send(.warning(message))
        onWarning(message)
    }
}

extension MonitorSettings {
    /// What makes a difference after the first time.
    fileprivate var withoutShed: MonitorSettings {
        var settings = self
        settings.shed = [:]
        return settings
    }
}
