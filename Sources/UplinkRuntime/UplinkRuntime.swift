import ControlProtocol
import Delivery
import FleetAPI
package import LinuxSystem
import MonotonicTime
import Spool
import SystemProcess
import UplinkProtocol

/// The process `holdfast-uplink`: keeps what workers and the runtime have to tell until central has it, and does what
/// central asks for. One event loop; docs/uplink.md says what it promises.
package final class UplinkRuntime {
    private static let mostWarnings = 32
    /// Reports that may wait for holdfastd to read.
    private static let longestQueue = 1024
    /// Telemetry and the link have their turn in between.
    private static let packetsPerTurn = 64
    private static let timeBetweenExpiries: Duration = .seconds(600)
    /// After a heartbeat.
    private static let timeToSettle: Duration = .seconds(2)

    private let loop: EventLoop
    private let channel: SupervisorChannel<UplinkRequest, UplinkReport>
    private let notifier: ServiceNotifier
    private let deadman: DeadmanAlarm
    private let boot: BootClock
    private let jitter: Jitter
    private let slowTime: Duration
    private let connections = ControlConnections()
    private var parts: Parts?
    /// Came before the spools were open: they are attached in their order.
    private(set) var warnings: [String] = []
    private var isLinkStarted = false
    /// What has to wait until then.
    private var deferred: [() -> Void] = []
    private var metricsTimer: TimerID?
    private var expiryTimer: TimerID?
    private var releaseTimer: TimerID?

    /// What there is once the settings are known.
    private struct Parts {
        var settings: UplinkSettings
        let events: QueueSpool
        let readings: QueueSpool
        let intake: Intake
        let client: ControlClient
        let follower: EventFollower
        let link: Link
        let plugins: PluginCommands
        let commands: CommandRunner
        let state: RuntimeState
        let downloads: Downloads
    }

    /// Called with what an operator should know and the log may not tell.
    package var onWarning: (String) -> Void = { _ in }
    /// Called when only another process can go on.
    package var onHopeless: () -> Void = {}

    /// - Parameters:
    ///   - channel: the socket to holdfastd.
    ///   - environment: how to tell holdfastd that this process is ready.
    ///   - deadman: ends the process when it hangs in its work.
    ///   - bootID: that of the kernel; another one in tests.
    ///   - jitter: spreads waits; tests do without.
    ///   - slowTime: for how long a download may be too slow.
    package init(
        loop: EventLoop, channel: UnixStream, environment: ServiceEnvironment,
        deadman: DeadmanAlarm = DeadmanAlarm(seconds: nil), bootID: String? = nil,
        jitter: Jitter = Jitter(), slowTime: Duration = .seconds(30)
    ) throws(SystemError) {
        self.loop = loop
        self.slowTime = slowTime
        self.channel = SupervisorChannel(
            loop: loop, socket: channel, longestQueue: Self.longestQueue, packetsPerTurn: Self.packetsPerTurn)
        self.deadman = deadman
        self.jitter = jitter
        boot = bootID.map { BootClock(bootID: $0) } ?? .current()
        notifier = try ServiceNotifier(loop: loop, environment: environment)
        self.channel.onRequest = { [weak self] request, descriptor in
            guard let self else { return }
            deadman.during { self.handle(request, descriptor) }
        }
        self.channel.onMalformed = { [weak self] in self?.warn($0) }
        self.channel.onClosed = { [weak self] in self?.finish() }
        self.channel.onOverflow = { [weak self] in self?.onHopeless() }
        connections.onOpen = { [weak self] in self?.channel.send(.openControl(id: $0)) }
    }

    deinit {
        if let metricsTimer { loop.cancel(metricsTimer) }
        if let expiryTimer { loop.cancel(expiryTimer) }
        if let releaseTimer { loop.cancel(releaseTimer) }
    }

    /// Begins to listen to holdfastd.
    package func start() throws(SystemError) {
        try channel.start()
    }

    /// Ends in good order: what workers have sent so far is taken in, and safe on the disk.
    package func finish() {
        notifier.send(["STOPPING=1"])
        parts?.intake.finish()
        for queue in [parts?.events, parts?.readings] {
            do throws(SpoolError) { try queue?.sync() } catch { warn("\(error)") }
        }
        loop.stop()
    }

    // MARK: Requests

    private func handle(_ request: UplinkRequest, _ descriptor: SharedDescriptor?) {
        switch request {
        case .configure(let settings): configure(settings)
        case .telemetry(let worker, let limits):
            guard let descriptor else { return warn("holdfastd sent no telemetry socket for \(worker)") }
            parts?.intake.attach(descriptor, of: worker, limits)
        case .forget(let worker): parts?.intake.forget(worker)
        case .workersComplete: break
        case .control(let id):
            guard let descriptor else { return warn("holdfastd sent no control connection") }
            connections.arrived(id, descriptor)
        case .downloads:
            guard let descriptor else { return warn("holdfastd sent no socket to an executor") }
            attachDownloads(descriptor)
        case .question(let id, .status): answer(id, status)
        case .question(_, .enrol) where parts != nil && !isLinkStarted:
            // Holdfastd is about to say which plugins there are; the link begins with what it is told now only once.
            deferred.append { [weak self] in self?.handle(request, nil) }
        case .question(let id, .enrol(let token)):
            let refusal = parts.map { $0.link.enrol(token) } ?? "the uplink has no settings yet; try again"
            answer(id, ["refused": refusal.map { .string($0) } ?? .null])
        case .unknown(let type): warn("holdfastd sent the unknown message \(type); both must be of one version")
        }
    }

    /// Before the link has begun, nothing could be fetched.
    private func attachDownloads(_ socket: SharedDescriptor) {
        guard isLinkStarted else {
            deferred.append { [weak self] in self?.attachDownloads(socket) }
            return
        }
        parts?.downloads.attach(socket)
    }

    private func answer(_ id: Int, _ answer: JSONValue) {
        for (part, isLast) in PacketParts(answer.text) {
            channel.send(.answer(id: id, part: part, isLast: isLast))
        }
    }

    private var status: JSONValue {
        guard let parts else {
            return UplinkStatus(state: .notEnrolled, since: 0, queues: [], warnings: warnings).json
        }
        var status = parts.link.status
        status.warnings = warnings
        return status.json
    }

    private func configure(_ new: UplinkSettings) {
        warnings = []
        if parts == nil {
            do {
                parts = try makeParts(new)
            } catch {
                // Without its folders it is of no use; holdfastd starts it again, and says so.
                warn("\(error)")
                return onHopeless()
            }
            begin()
        } else {
            apply(new)
        }
        scheduleMetrics()
        scheduleExpiry()
    }

    private func apply(_ new: UplinkSettings) {
        parts?.settings = new
        for (queue, settings) in [(parts?.events, new.events), (parts?.readings, new.readings)] {
            queue?.spool.settings = SpoolSettings(settings)
        }
        parts?.readings.flushInterval = new.flushInterval
        parts?.link.configure(new)
        // A reload may have brought others.
        parts?.plugins.refresh()
    }

    // MARK: Parts

    private func makeParts(_ settings: UplinkSettings) throws -> Parts {
        let folder = try DurableFolder(settings.folder)
        let spools = try DurableFolder(settings.spoolFolder)
        let events = try openSpool("\(spools.path)/events", settings.events, .zero)
        let readings = try openSpool("\(spools.path)/readings", settings.readings, settings.flushInterval)
        let client = ControlClient(loop: loop, connections: connections)
        let link = Link(
            loop: loop, deadman: deadman, settings: settings, identity: try IdentityStore(folder), boot: boot,
            events: events,
            readings: readings, jitter: jitter)
        let table = CommandTable()
        BuiltInCommands(client: client, link: link, status: { [unowned link] in link.status }).fill(table)
        let journal = CommandJournal(try DurableFolder("\(settings.folder)/commands"))
        return Parts(
            settings: settings, events: events, readings: readings,
            intake: Intake(loop: loop, events: events, readings: readings, bootID: boot.bootID, deadman: deadman),
            client: client,
            follower: EventFollower(
                loop: loop, connections: connections, client: client, queue: events, folder: folder, boot: boot),
            link: link,
            plugins: PluginCommands(loop: loop, client: client, connections: connections, table: table),
            commands: CommandRunner(loop: loop, journal: journal, table: table, boot: boot),
            state: RuntimeState(client: client),
            downloads: Downloads(loop: loop, deadman: deadman, link: link, slowTime: slowTime))
    }

    private func openSpool(
        _ path: String, _ settings: UplinkSettings.Queue, _ flushInterval: Duration
    ) throws -> QueueSpool {
        var random = SystemRandomNumberGenerator()
        let spool = try Spool(
            SpoolFolder(path), SpoolSettings(settings), at: BootClock.wallMilliseconds, using: &random)
        return QueueSpool(loop: loop, spool: spool, flushInterval: flushInterval)
    }

    private func begin() {
        guard let parts else { return }
        connectSpools(parts)
        connectLink(parts)
        parts.intake.onLoss = { [weak self] in self?.channel.send(.noted(.loss, message: $0)) }
        parts.follower.onTrouble = { [weak self] in self?.warn($0) }
        parts.commands.report = { [weak self] in self?.appendEvent($0) ?? false }
        parts.commands.onTrouble = { [weak self] in self?.warn($0) }
        parts.commands.onIdle = { [weak self] in self?.parts?.link.tell(.commandsDone) }
        channel.send(.ready)
        notifier.start()
        parts.follower.start()
        // Which kinds there are decides what becomes of commands that are found. The link asks for what comes after these, and
        // some of them need it.
        parts.plugins.refresh { [weak self] in
            guard let parts = self?.parts else { return }
            parts.commands.load()
            parts.link.start()
            parts.commands.start()
            self?.linkHasStarted()
        }
    }

    private func linkHasStarted() {
        isLinkStarted = true
        let waiting = deferred
        deferred = []
        for body in waiting { body() }
    }

    private func connectSpools(_ parts: Parts) {
        for (queue, name) in [(parts.events, LinkMachine.Queue.events), (parts.readings, .readings)] {
            queue.onSynced = { [weak self] in self?.parts?.link.recordsAvailable(name) }
            queue.onTrouble = { [weak self] in self?.warn("\(name) cannot be made safe: \($0)") }
        }
    }

    private func connectLink(_ parts: Parts) {
        let link = parts.link
        link.highestCommand = { [weak self] in self?.parts?.commands.highest ?? 0 }
        link.onCommands = { [weak self] in self?.parts?.commands.take($0) }
        link.describeState = { [weak self] completion in self?.parts?.state.describe(completion) }
        link.onNote = { [weak self] in self?.channel.send(.noted($0, message: $1)) }
        link.onWarning = { [weak self] in self?.warn($0) }
        link.onOtherCentral = { [weak self] in self?.parts?.downloads.centralChanged() }
        parts.downloads.onTrouble = { [weak self] in self?.warn($0) }
        link.onBeat = { [weak self] in self?.releaseSoon() }
        link.onEvent = { [weak self] kind, message in
            guard let self else { return }
            _ = appendEvent(EventRecord.uplink(kind: kind, message: message, boot, at: loop.now))
        }
    }

    /// - Returns: whether the disk has it, for certain.
    private func appendEvent(_ record: [UInt8]) -> Bool {
        guard let events = parts?.events else { return false }
        do throws(SpoolError) {
            try events.append([record])
            try events.sync()
            return true
        } catch {
            warn("an event cannot be kept: \(error)")
            return false
        }
    }

    // MARK: From time to time

    /// What the libraries needed to begin, and a handshake took, is not needed again.
    private func releaseSoon() {
        guard releaseTimer == nil else { return }
        releaseTimer = loop.schedule(at: loop.now + Self.timeToSettle) { [weak self] in
            self?.releaseTimer = nil
            SystemCall.releaseMemory()
        }
    }

    private func scheduleMetrics() {
        if let metricsTimer { loop.cancel(metricsTimer) }
        metricsTimer = (parts?.settings.metricsInterval).flatMap { $0 }.map { interval in
            loop.schedule(at: loop.now + interval) { [weak self] in
                guard let self else { return }
                deadman.during {
                    self.parts?.state.measure { [weak self] values in
                        if !values.isEmpty { self?.parts?.intake.take(values, of: RuntimeState.worker) }
                    }
                    self.scheduleMetrics()
                }
            }
        }
    }

    /// Where records have a time to live, and this device's clock can be right.
    private func scheduleExpiry() {
        if let expiryTimer { loop.cancel(expiryTimer) }
        expiryTimer = nil
        guard let parts, parts.settings.events.timeToLive != nil || parts.settings.readings.timeToLive != nil else {
            return
        }
        expiryTimer = loop.schedule(at: loop.now + Self.timeBetweenExpiries) { [weak self] in
            guard let self else { return }
            if parts.link.clock.isPlausible {
                for queue in [parts.events, parts.readings] {
                    do throws(SpoolError) {
                        try queue.spool.expire(at: BootClock.wallMilliseconds)
                    } catch {
                        warn("\(error)")
                    }
                }
            }
            scheduleExpiry()
        }
    }

    /// Readings, as if they came from a worker.
    func take(_ values: [(name: String, value: JSONValue)], of worker: String) {
        parts?.intake.take(values, of: worker)
    }

    private func warn(_ message: String) {
        // Once for each configuration: nobody wants to read it a thousand times.
        guard !warnings.contains(message), warnings.count < Self.mostWarnings else { return }
        warnings.append(message)
        channel.send(.warning(message))
        onWarning(message)
    }
}

extension SpoolSettings {
    fileprivate init(_ settings: UplinkSettings.Queue) {
        self.init(
            quota: settings.quota, whenFull: settings.refusesWhenFull ? .refuse : .dropOldest,
            timeToLive: settings.timeToLive)
    }
}
