import ControlProtocol
import ExecutorProtocol
import LinuxSystem
import MonotonicTime

/// Deployments as seen from the runtime: who asked for which, how they stand, and the one process that carries them out, the keeper.
/// What a deployment is, only that process knows. Main thread only; nothing here waits for anything.
final class DeploymentService {
    private let loop: EventLoop
    private let channel: SystemChannel
    private var life = KeeperLife()
    private var process: TransientProcess?
    private var timer: TimerID?

    private var records: [String: DeploymentRecord] = [:]
    /// Those that have not ended, in the order in which they came.
    private var open: [String] = []
    /// The oldest first.
    private var ended: [String] = []
    /// What every bundle was when it was told last, by its name.
    private var bundles: [String: BundleReport] = [:]
    /// Those that the keeper tells of since its start: the others are gone when it is ready.
    private var told: Set<String> = []
    /// Whether the keeper of this store has told of every bundle once.
    private var isComplete = false
    /// Bundles whose workers crash again and again, which is to be said.
    private var crashLoops: [(bundle: String, text: String)] = []
    /// Who waits until the keeper is ready, or cannot be.
    private var waiting: [(String?) -> Void] = []
    private var tests: [TestRun] = []
    private var lastTest = 0
    private var lastTrouble: String?

    private var settings: DeploymentSettings

    private struct TestRun {
        let number: Int
        let test: SelfTest
        /// What the keeper calls it; `nil` when it is not waited for any more.
        var step: Int?
    }

    typealias StartKeeper = (UnixStream, @escaping (TransientProcess.End) -> Void) throws(KeeperObstacle) ->
        TransientProcess
    typealias StartTest = (SelfTestOrder, @escaping (String?) -> Void) throws(SystemError) -> SelfTest

    /// Starts a keeper, which inherits the socket.
    private let startKeeper: StartKeeper
    /// Starts a bundle's own test.
    private let startTest: StartTest
    /// Makes a control connection with what a keeper may ask. It gets two: on one of them events come as long as it lives.
    var openControl: () -> UnixStream? = { nil }
    /// Hands one end of a socket to the uplink.
    /// - Returns: whether there is an uplink.
    var offerDownloads: (UnixStream) -> Bool = { _ in false }
    /// Takes over what the bundles bring now; answers why not.
    var apply: () -> String? = { nil }
    /// What is in the store that may be a bundle, with its current version.
    var findBundles: () -> [String: String?] = { [:] }
    var onChange: (DeploymentReport) -> Void = { _ in }
    var onLog: (ExecutorReport.Level, String) -> Void = { _, _ in }
    /// The keeper cannot be started, or has died; said once for each reason.
    var onTrouble: (String) -> Void = { _ in }

    /// Ends that are kept, for whoever asks again.
    static let mostEnds = 32
    static let mostOpen = 64

    init(
        loop: EventLoop, settings: DeploymentSettings, startKeeper: @escaping StartKeeper,
        startTest: @escaping StartTest
    ) {
        self.loop = loop
        self.settings = settings
        self.startKeeper = startKeeper
        self.startTest = startTest
        channel = SystemChannel(loop: loop, gatheringTime: .zero)
        channel.onPacket = { [weak self] in self?.take($0) }
        channel.onHangUp = { [weak self] in self?.channel.close() }
    }

    /// Those that something is being done with.
    var bundlesUnderWay: Set<String> {
        Set(open.compactMap { records[$0] }.compactMap { $0.latest?.bundle ?? $0.order?.bundle })
    }

    /// Why nothing can be deployed for now.
    var trouble: String? { lastTrouble.map { "deployments: \($0)" } }

    /// What a keeper that is started from now on is told.
    func configure(_ settings: DeploymentSettings) {
        if settings.store != self.settings.store {
            bundles = [:]
            isComplete = false
        }
        self.settings = settings
    }

    /// What was left half done is gone on with, if there is anything.
    func begin() {
        if hasBundles { handle(.wanted) }
    }

    private var hasBundles: Bool { !findBundles().isEmpty }

    // MARK: Methods

    func deploy(_ order: DeploymentOrder, for connection: ControlConnection) {
        if let known = records[order.id] {
            let isSame = known.order.map { $0 == order } ?? (known.latest?.bundle == order.bundle)
            guard isSame else { return refuse(connection, "another deployment has the id \(order.id) already") }
            if known.order == nil, !known.hasEnded {
                known.order = order
                say(.deploy(order))
            }
            return known.attach(connection)
        }
        guard !life.isStopped else { return connection.send(Self.stopping.reply) }
        guard open.count < Self.mostOpen else {
            return refuse(connection, "\(Self.mostOpen) deployments are under way or wait already; try again later")
        }
        let record = DeploymentRecord(id: order.id, order)
        records[order.id] = record
        open.append(order.id)
        record.attach(connection)
        ask { [weak self] trouble in
            // One that was sent is sent again to the next keeper; one that never was is not begun.
            guard let trouble, let self, record.latest == nil else { return }
            forget(record, RuntimeError.deploymentRefused(message: trouble))
        }
        say(.deploy(order))
    }

    func cancel(_ id: String, for connection: ControlConnection) {
        if let record = records[id], !record.hasEnded {
            record.isCancelled = true
            say(.cancelDeployment(id: id))
            return connection.send(VarlinkReply())
        }
        let unknown = RuntimeError.noSuchDeployment(id: id).reply
        guard !life.isReady, !life.isStopped, records[id] == nil, hasBundles else { return connection.send(unknown) }
        // One from before the start of the runtime, of which the keeper tells when it is ready.
        connection.deferReply()
        ask { [weak self, weak connection] trouble in
            guard let self, let connection else { return }
            if let trouble { return connection.send(RuntimeError.unavailable(message: trouble).reply) }
            guard let record = records[id], !record.hasEnded else { return connection.send(unknown) }
            cancel(id, for: connection)
        }
    }

    func list(for connection: ControlConnection) {
        // While no keeper is there to lock the store, somebody may work on it by hand.
        let found = life.isAlive ? nil : findBundles()
        if let found, isComplete, found != bundles.mapValues(\.current) { isComplete = false }
        if isComplete { return connection.send(reply) }
        guard !life.isStopped else { return connection.send(Self.stopping.reply) }
        // A device that has none starts nothing to find that out.
        if let found, found.isEmpty {
            bundles = [:]
            return connection.send(reply)
        }
        connection.deferReply()
        ask { [weak self, weak connection] trouble in
            guard let self, let connection else { return }
            connection.send(trouble.map { RuntimeError.unavailable(message: $0).reply } ?? reply)
        }
    }

    private var reply: VarlinkReply {
        VarlinkReply(DeploymentsReply(bundles: bundles.values.sorted { $0.name < $1.name }))
    }

    private static let stopping = RuntimeError.unavailable(
        message: "the runtime is stopping; a deployment under way goes on when it runs again")

    private func refuse(_ connection: ControlConnection, _ message: String) {
        connection.send(RuntimeError.deploymentRefused(message: message).reply)
    }

    /// Its workers crash again and again: the keeper decides what becomes of it.
    func crashLooped(_ bundle: String, _ text: String) {
        guard !life.isStopped else { return }
        if life.isReady { return say(.crashLooped(bundle: bundle, text: text)) }
        // Of several the first: it says how it began.
        if !crashLoops.contains(where: { $0.bundle == bundle }) { crashLoops.append((bundle, text)) }
        handle(.wanted)
    }

    // MARK: Life

    /// Calls back when the keeper is ready, or with the reason why it will not be for now.
    private func ask(_ body: @escaping (String?) -> Void) {
        if life.isReady { return body(nil) }
        if case .waiting = life.phase {
            return body(lastTrouble ?? "\(ExecutorSetup.executor) has died; try again in a moment")
        }
        waiting.append(body)
        handle(.wanted)
    }

    private func answer(_ trouble: String?) {
        let bodies = waiting
        waiting = []
        for body in bodies { body(trouble) }
    }

    private func handle(_ event: KeeperLife.Event) {
        for action in life.handle(event, at: loop.now) {
            switch action {
            case .start: start()
            case .brief: brief()
            case .closeChannel: channel.close()
            case .kill: process?.kill()
            }
        }
        rearm()
    }

    private func rearm() {
        if let timer = timer.take() { loop.cancel(timer) }
        timer = life.nextDeadline.map { deadline in
            loop.schedule(at: deadline) { [weak self] in
                guard let self else { return }
                timer = nil
                handle(.deadlineReached(hasOrders: !open.isEmpty))
            }
        }
    }

    private func start() {
        told = []
        do throws(KeeperObstacle) {
            let theirs = try openChannel()
            process = try startKeeper(theirs) { [weak self] in self?.ended($0) }
        } catch {
            channel.close()
            return notStarted(error.message)
        }
        send(.keepDeployments(settings))
        for _ in 0..<2 {
            guard let control = openControl(), let duplicate = try? SystemCall.duplicate(control.rawValue) else {
                break
            }
            send(.control, SharedDescriptor(duplicate))
        }
        handOverDownloads()
        channel.flush()
    }

    private func openChannel() throws(KeeperObstacle) -> UnixStream {
        do throws(SystemError) { return try channel.open() } catch { throw KeeperObstacle(error) }
    }

    private func notStarted(_ reason: String) {
        note(reason)
        // Not within the call that asks for it.
        loop.schedule(at: loop.now) { [weak self] in
            guard let self else { return }
            answer(reason)
            handle(.notStarted)
        }
    }

    private func note(_ trouble: String) {
        guard trouble != lastTrouble else { return }
        lastTrouble = trouble
        onTrouble(trouble)
    }

    private func ended(_ end: TransientProcess.End) {
        // Its last words.
        channel.close()
        process = nil
        abandonTests { _ in true }
        let wasReady = life.isReady
        let wasExpected = life.mayEnd
        if !wasExpected {
            note("\(ExecutorSetup.executor), which keeps the deployments, \(Wording.failure(of: end) ?? "has ended")")
        }
        handle(.ended(hasOrders: !open.isEmpty || !crashLoops.isEmpty))
        if !wasReady, !wasExpected, let lastTrouble { answer(lastTrouble) }
    }

    /// A new keeper is ready: it is told what it does not know.
    private func brief() {
        lastTrouble = nil
        isComplete = true
        for name in bundles.keys where !told.contains(name) { bundles[name] = nil }
        for record in open.compactMap({ records[$0] }) {
            if let order = record.order { say(.deploy(order)) }
            if record.isCancelled { say(.cancelDeployment(id: record.id)) }
        }
        for (bundle, text) in crashLoops { say(.crashLooped(bundle: bundle, text: text)) }
        crashLoops = []
        answer(nil)
    }

    /// There is a new uplink: it gets its end of a new socket.
    func uplinkStarted() {
        guard channel.isOpen else { return }
        handOverDownloads()
        channel.flush()
    }

    private func handOverDownloads() {
        guard let (theirs, uplinks) = try? UnixStream.makePacketPair(), offerDownloads(uplinks),
            let duplicate = try? SystemCall.duplicate(theirs.rawValue)
        else { return }
        send(.downloads, SharedDescriptor(duplicate))
    }

    /// Ends it, and starts none any more. What it does is on disk, and the next one goes on with it.
    func stop() {
        guard !life.isStopped else { return }
        handle(.stopRequested)
        for record in open.compactMap({ records[$0] }) { record.abandon(Self.stopping) }
        answer("the runtime is stopping")
    }

    /// The runtime goes on after all.
    func resume() {
        guard life.isStopped else { return }
        handle(.resumed)
        if !open.isEmpty || hasBundles { handle(.wanted) }
    }

    // MARK: Talking

    /// Says something to a keeper that is ready; what matters is said to the next one when it is.
    private func say(_ request: ExecutorRequest) {
        guard life.isReady else { return }
        send(request)
        handle(.sent)
        channel.flush()
    }

    private func send(_ request: ExecutorRequest, _ descriptor: SharedDescriptor? = nil) {
        channel.send(request.json.serialised(), descriptor)
    }

    private func take(_ packet: [UInt8]) {
        guard let json = try? JSONValue.parse(packet), let report = try? ExecutorReport(json: json) else { return }
        switch report {
        case .deployment(let deployment): take(deployment)
        case .bundle(let bundle):
            bundles[bundle.name] = bundle
            told.insert(bundle.name)
        case .ready: handle(.ready)
        case .apply(let step):
            handle(.active)
            end(step, apply())
        case .selfTest(let step, let bundle, let command, let timeLimit):
            handle(.active)
            test(step, SelfTestOrder(bundle: bundle, command: command, timeLimit: timeLimit))
        case .abandonStep(let step): abandonTests { $0.step == step }
        case .idle: handle(.idle)
        case .log(let level, let line): onLog(level, line)
        // Those of another kind of executor.
        case .startHost, .progress, .result, .ended, .unknown: break
        }
    }

    private func take(_ report: DeploymentReport) {
        let record = records[report.id] ?? DeploymentRecord(id: report.id)
        if records[report.id] == nil {
            records[report.id] = record
            open.append(report.id)
        }
        // An end is told once more to whoever asks again.
        let wasOpen = !record.hasEnded
        if record.tell(report, at: loop.now) { onChange(report) }
        if !report.state.isEnd { handle(.active) }
        if report.state.isEnd, wasOpen {
            open.removeAll { $0 == report.id }
            ended.append(report.id)
            if ended.count > Self.mostEnds { records[ended.removeFirst()] = nil }
        } else if !report.state.isEnd, !wasOpen {
            ended.removeAll { $0 == report.id }
            open.append(report.id)
        }
    }

    private func forget(_ record: DeploymentRecord, _ error: RuntimeError) {
        records[record.id] = nil
        open.removeAll { $0 == record.id }
        record.abandon(error)
    }

    // MARK: Steps

    private func end(_ step: Int, _ problem: String?) {
        // A packet has little room for what is wrong with hundreds of workers.
        send(.stepEnded(step: step, problem: problem.map { String($0.prefix(Self.longestProblem)) }))
        channel.flush()
    }

    private static let longestProblem = 4000

    private func test(_ step: Int, _ order: SelfTestOrder) {
        lastTest += 1
        let number = lastTest
        do throws(SystemError) {
            let test = try startTest(order) { [weak self] in self?.testEnded(number, $0) }
            tests.append(TestRun(number: number, test: test, step: step))
        } catch {
            end(step, "the self-test could not be started: \(error.call): \(error.message)")
        }
    }

    private func testEnded(_ number: Int, _ problem: String?) {
        guard let index = tests.firstIndex(where: { $0.number == number }) else { return }
        if let step = tests.remove(at: index).step { end(step, problem) }
    }

    private func abandonTests(_ isMeant: (TestRun) -> Bool) {
        for index in tests.indices where isMeant(tests[index]) {
            tests[index].step = nil
            tests[index].test.kill()
        }
    }
}

/// A bundle's own test, as the keeper asks for it.
struct SelfTestOrder: Equatable {
    var bundle: String
    var command: [String]
    var timeLimit: Duration
}

/// Why a keeper cannot be started.
struct KeeperObstacle: Error {
    var message: String

    init(_ message: String) { self.message = message }
    init(_ error: SystemError) { message = "\(ExecutorSetup.executor) cannot be started: \(error)" }
}
