import FleetTransfer
import ControlProtocol
import Delivery
import FleetAPI
import LinuxSystem
import MonotonicTime
import Spool
import UplinkProtocol

/// The connection to central: performs what `LinkMachine` decides, one request of each kind at a time, all of them signed.
/// The libraries for it are loaded when there is a central to talk to, and not before.
final class Link {
    let loop: EventLoop
    private let deadman: DeadmanAlarm
    let identity: IdentityStore
    let boot: BootClock
    let queues: [LinkMachine.Queue: QueueSpool]
    /// For nonces.
    private var random = SystemRandomNumberGenerator()
    /// For waits.
    var jitter: Jitter
    var settings: UplinkSettings
    private(set) var machine: LinkMachine
    var clock: CentralClock
    private var transfer: Transfer?
    /// Counts the centrals talked to: what comes of a request to an earlier one concerns nobody.
    private(set) var generation = 0
    private var timer: TimerID?

    /// For how long a request for commands waits.
    var pollTime: Duration = .seconds(60)
    /// Another device has this identity.
    var isForked = false
    /// An operator of central has to approve the device.
    var isPending = false
    /// Why central, or this machine, does not want the link.
    var refusal: String?
    /// What went wrong last.
    var lastFailure: String?
    /// The checksum of the last record of the last batch, by its number.
    var lastChecksum: [LinkMachine.Queue: (number: UInt64, checksum: UInt32?)] = [:]
    private var shown: (state: UplinkStatus.State, since: MonotonicInstant)

    /// Of the last command that was journalled.
    var highestCommand: () -> UInt64 = { 0 }
    var onCommands: ([CommandOrder]) -> Void = { _ in }
    /// Asks for what a heartbeat says of the device's state.
    var describeState: (@escaping (JSONObject) -> Void) -> Void = { $0([:]) }
    var onNote: (UplinkReport.Note, String) -> Void = { _, _ in }
    var onWarning: (String) -> Void = { _ in }
    /// Called when central has answered a heartbeat: nothing new is to come for a while.
    var onBeat: () -> Void = {}
    /// Called when requests go to another central, or to the same by another way.
    var onOtherCentral: () -> Void = {}
    /// Something of the uplink itself that central should know.
    var onEvent: (_ kind: String, _ message: String) -> Void = { _, _ in }

    private static let libraryPause: Duration = .seconds(900)

    init(
        loop: EventLoop, deadman: DeadmanAlarm, settings: UplinkSettings, identity: IdentityStore, boot: BootClock,
        events: QueueSpool,
        readings: QueueSpool, jitter: Jitter = Jitter()
    ) {
        self.jitter = jitter
        self.loop = loop
        self.deadman = deadman
        self.settings = settings
        self.identity = identity
        self.boot = boot
        queues = [.events: events, .readings: readings]
        func progress(_ queue: QueueSpool) -> QueueProgress {
            QueueProgress(acknowledged: queue.spool.acknowledged, available: queue.spool.statistics.synced)
        }
        machine = LinkMachine(events: progress(events), readings: progress(readings))
        clock = CentralClock(floor: identity.enrolment.floor)
        shown = (.notEnrolled, loop.now)
    }

    deinit {
        if let timer { loop.cancel(timer) }
        transfer?.end()
    }

    // MARK: Life

    /// Begins to talk to central, where there is one.
    func start() {
        let enrolment = identity.enrolment
        guard enrolment.next != nil || enrolment.current != nil else {
            refusal = identity.trouble
            return tell(.stageChanged(.idle))
        }
        if let problem = prepare(makesKey: enrolment.next != nil) {
            refusal = problem
            onWarning(problem)
            // Somebody may install what is missing.
            loop.schedule(at: loop.now + Self.libraryPause) { [weak self] in
                guard let self, machine.stage == .idle else { return }
                start()
            }
            return tell(.stageChanged(.idle))
        }
        refusal = nil
        // What was asked of the central before concerns nobody any more, also where the stage is the same.
        tell(.stageChanged(.idle))
        tell(.stageChanged(enrolment.next != nil ? .enrolling : .enrolled))
    }

    /// Libraries, key and connection. What is missing, for a person, or `nil`.
    private func prepare(makesKey: Bool) -> String? {
        if let problem = TransferLibraries.load() { return problem }
        do {
            try identity.loadKey(makes: makesKey)
            guard identity.key != nil else { return identity.trouble ?? "there is no key; enrol the device again" }
            guard address != nil else { return "the address of central is no https URL: \(centralURL ?? "")" }
            retireTransfer()
            transfer = try makeTransfer()
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// Not at once: this may be within one of its completions.
    private func retireTransfer() {
        generation += 1
        onOtherCentral()
        guard let old = transfer else { return }
        transfer = nil
        loop.schedule(at: loop.now) { old.end() }
    }

    /// Connections to the central of now, beside those of the link.
    func makeTransfer() throws(Transfer.Failure) -> Transfer {
        guard let address else { throw Transfer.Failure(description: "there is no central") }
        return try Transfer(
            loop: loop, deadman: deadman, pins: pins, host: address.host, judgesDates: clock.isPlausible)
    }

    private var pins: [[UInt8]] { identity.enrolment.next?.pins ?? identity.enrolment.current?.pins ?? [] }

    var centralURL: String? { settings.central ?? identity.enrolment.next?.url ?? identity.enrolment.current?.url }

    private var address: CentralAddress? { centralURL.flatMap { CentralAddress($0) } }

    func configure(_ new: UplinkSettings) {
        let isOther = new.central != settings.central || new.proxy != settings.proxy
        let hasOtherLabels = new.labels != settings.labels || new.name != settings.name
        settings = new
        if isOther, machine.stage != .idle { return start() }
        if hasOtherLabels { tell(.heartbeatWanted) }
    }

    /// Enrols with a token from now on.
    /// - Returns: why it is not even tried, for a person, or `nil` once the token is kept.
    func enrol(_ text: String) -> String? {
        do {
            let token = try EnrolmentToken(text)
            guard CentralAddress(token.url) != nil else { return "the token's address is no https URL: \(token.url)" }
            if let problem = TransferLibraries.load() { return problem }
            try identity.update { $0.next = token }
        } catch {
            return "\(error)"
        }
        (isPending, lastFailure) = (false, nil)
        start()
        return nil
    }

    // MARK: The machine

    /// Tells the machine, and performs what it decides.
    func tell(_ event: LinkMachine.Event) {
        for action in machine.handle(event, at: loop.now, using: &jitter) { perform(action) }
        if let timer { loop.cancel(timer) }
        timer = machine.deadline(after: loop.now).map { deadline in
            loop.schedule(at: deadline) { [weak self] in
                guard let self else { return }
                timer = nil
                deadman.during { self.tell(.deadlineReached) }
            }
        }
        noteState()
    }

    private func perform(_ action: LinkMachine.Action) {
        switch action {
        case .begin(.enrolment): requestEnrolment()
        case .begin(.heartbeat): sendHeartbeat()
        case .begin(.commands): askForCommands()
        case .begin(.telemetry): break
        case .send(let queue, let plan): sendBatch(queue, plan)
        case .acknowledge(let queue, let through):
            do throws(SpoolError) {
                try queues[queue]?.spool.acknowledge(through: through)
            } catch {
                onWarning("what central has cannot be removed from the disk: \(error)")
            }
        case .giveUp(let queue, let number):
            onEvent("record-refused", "central does not take record \(number) of the \(queue); it goes as a gap")
        case .reportFork(let queue, let central):
            guard !isForked else { return }
            isForked = true
            onEvent(
                "forked",
                "central has \(central) \(queue) of this device, which has written fewer: another has its identity, or its disk was restored"
            )
            onWarning("another device has this one's identity; enrol one of them anew, with a new key")
            loop.schedule(at: loop.now) { [weak self] in self?.tell(.heartbeatWanted) }
        case .connected:
            onNote(.connected, "connected to central at \(centralURL ?? "")")
        case .disconnected:
            onNote(.disconnected, "no link to central: \(refusal ?? lastFailure ?? "it does not answer")")
        }
    }

    func recordsAvailable(_ queue: LinkMachine.Queue) {
        guard let through = queues[queue]?.spool.statistics.synced else { return }
        tell(.available(queue, through: through))
    }

    // MARK: Requests

    /// Sends a signed request. `isLasting`: it may wait for its answer.
    func send(
        _ method: String, _ path: String, body: [UInt8]? = nil, contentType: String = "application/json",
        isCompressed: Bool = false, timeout: Duration?, isWaiting: Bool = false,
        _ completion: @escaping (Result<HTTPAnswer, Transfer.Failure>) -> Void
    ) {
        guard let transfer, let key = identity.key, var order = order(method, path, body: body) else {
            loop.schedule(at: loop.now) { completion(.failure(Transfer.Failure(description: "there is no central"))) }
            return
        }
        if body != nil {
            order.fields.append("Content-Type: \(contentType)")
            if isCompressed { order.fields.append("Content-Encoding: gzip") }
        }
        order.timeout = timeout
        order.slowest = isWaiting ? nil : (bytesPerSecond: 16, time: .seconds(60))
        transfer.judgeDates(clock.isPlausible)
        let generation = generation
        transfer.begin(order) { [weak self] result in
            guard let self, self.generation == generation else { return }
            noteKey(key, result)
            completion(result)
        }
    }

    /// What a request to central begins with; `nil` when there is none.
    /// - Parameter path: below `/api/v1`.
    func order(_ method: String, _ path: String, body: [UInt8]? = nil, isSigned: Bool = true) -> Transfer.Order? {
        guard let address, let key = identity.key else { return nil }
        let full = "/api/v1\(path)"
        var order = Transfer.Order(method: method, url: address.base + full)
        order.fields = ["User-Agent: holdfast/\(HoldfastVersion.current)"]
        if isSigned {
            // A token's request is signed by the bare key, also where an earlier central knows the device.
            let device = machine.stage == .enrolling ? nil : identity.enrolment.current?.device
            let signer = RequestSigner(key: key, device: device)
            order.fields +=
                signer.fields(method: method, path: full, body: body, created: clock.corrected, using: &random) ?? []
        }
        order.body = body
        order.proxy = settings.proxy
        return order
    }

    /// Bytes of HTTP, to and from the central of now.
    var traffic: (sent: Int64, received: Int64) { (transfer?.sent ?? 0, transfer?.received ?? 0) }

    // MARK: Status

    private var state: UplinkStatus.State {
        switch machine.stage {
        case .idle: refusal == nil ? .notEnrolled : .refused
        case .enrolling: isPending ? .pending : .enrolling
        case .enrolled: refusal != nil ? .refused : machine.isConnected ? .connected : .offline
        }
    }

    private func noteState() {
        if state != shown.state { shown = (state, loop.now) }
    }

    var status: UplinkStatus {
        UplinkStatus(
            state: state,
            reason: refusal ?? (state == .connected ? nil : lastFailure),
            central: centralURL, device: identity.enrolment.current?.device,
            since: shown.since.duration(to: MonotonicClock.now()).inSeconds,
            nextAttemptIn: state == .connected
                ? nil
                : machine.nextAttempt(after: loop.now).map { max(0, loop.now.duration(to: $0).inSeconds) },
            clockOffset: clock.offset.map { Double($0) / 1000 },
            queues: [("events", LinkMachine.Queue.events), ("readings", .readings)].compactMap { name, queue in
                queues[queue].map { Self.report(name, $0.spool.statistics) }
            })
    }

    private static func report(_ name: String, _ statistics: SpoolStatistics) -> UplinkStatus.Queue {
        UplinkStatus.Queue(
            name: name, id: statistics.id.description, used: statistics.used, quota: statistics.quota,
            acknowledged: Int(clamping: statistics.acknowledged), written: Int(clamping: statistics.written),
            dropped: Int(clamping: statistics.dropped), expired: Int(clamping: statistics.expired),
            lost: Int(clamping: statistics.lost), refused: Int(clamping: statistics.refused))
    }
}
