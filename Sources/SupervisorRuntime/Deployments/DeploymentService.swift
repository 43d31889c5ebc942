import ControlProtocol
import ExecutorProtocol
import LinuxSystem
import MonotonicTime

/// Deployments as seen from the runtime: who asked for which, and how they stand. What a deployment is, only the keeper knows. Main
/// thread only; nothing here waits for anything.
final class DeploymentService {
    private let loop: EventLoop
    let keeper: KeeperProcess
    private let tests: SelfTestRuns

    private var records: [String: DeploymentRecord] = [:]
    /// Those that have not ended, in the order in which they came.
    private var open: [String] = []
    /// The oldest first.
    private var ended: [String] = []
    /// What every bundle was when it was told last, by its name.
    private var bundles: [String: BundleReport] = [:]
    /// Whether the keeper of this store has told of every bundle once.
    private var isComplete = false
    /// What the keeper has told of since its start, bundles and deployments: the others are gone when it is ready.
    private var told: (bundles: Set<String>, deployments: Set<String>) = ([], [])
    /// Bundles whose workers crash again and again, which is to be said.
    private var crashLoops: [(bundle: String, text: String)] = []
    /// Who waits until the keeper is ready, or cannot be.
    private var waiting: [(String?) -> Void] = []

    /// Takes over what the bundles bring now; answers why not.
    var apply: () -> String? = { nil }
    /// What is in the store that may be a bundle, with its current version.
    var findBundles: () -> [String: String?] = { [:] }
    var onChange: (DeploymentReport) -> Void = { _ in }
    var onLog: (ExecutorReport.Level, String) -> Void = { _, _ in }

    /// Ends that are kept, for whoever asks again.
    static let mostEnds = 32
    static let mostOpen = 64

    init(loop: EventLoop, keeper: KeeperProcess, startTest: @escaping SelfTestRuns.Start) {
        self.loop = loop
        self.keeper = keeper
        tests = SelfTestRuns(start: startTest)
        tests.onEnd = { [weak keeper] in keeper?.answer($0, $1) }
        keeper.hasOrders = { [unowned self] in !open.isEmpty || !crashLoops.isEmpty }
        keeper.onStart = { [unowned self] in told = ([], []) }
        keeper.onReady = { [unowned self] in brief() }
        keeper.onReport = { [unowned self] in take($0) }
        keeper.onGone = { [unowned self] in tests.abandon() }
        keeper.onUnavailable = { [unowned self] in answer($0) }
    }

    /// Those that something is being done with.
    var bundlesUnderWay: Set<String> {
        Set(open.compactMap { records[$0] }.compactMap { $0.latest?.bundle ?? $0.order?.bundle })
    }

    /// What a keeper that is started from now on is told.
    func configure(_ settings: DeploymentSettings) {
        if settings.store != keeper.settings.store {
            bundles = [:]
            isComplete = false
        }
        keeper.settings = settings
    }

    /// What was left half done is gone on with, if there is anything.
    func begin() {
        if hasBundles { keeper.want() }
    }

    private var hasBundles: Bool { !findBundles().isEmpty }

    // MARK: Methods

    func deploy(_ order: DeploymentOrder, for connection: ControlConnection) {
        if let known = records[order.id] {
            let isSame = known.order.map { $0 == order } ?? (known.latest?.bundle == order.bundle)
            guard isSame else { return refuse(connection, "another deployment has the id \(order.id) already") }
            if known.isInterrupted, !keeper.isStopped {
                ended.removeAll { $0 == order.id }
                known.beginAnew(order)
                return begin(known, order, for: connection)
            }
            if known.order == nil, !known.hasEnded {
                known.order = order
                keeper.say(.deploy(order))
            }
            return known.attach(connection)
        }
        guard !keeper.isStopped else { return connection.send(Self.stopping.reply) }
        guard open.count < Self.mostOpen else {
            return refuse(connection, "\(Self.mostOpen) deployments are under way or wait already; try again later")
        }
        let record = DeploymentRecord(id: order.id, order)
        records[order.id] = record
        begin(record, order, for: connection)
    }

    private func begin(_ record: DeploymentRecord, _ order: DeploymentOrder, for connection: ControlConnection) {
        open.append(order.id)
        record.attach(connection)
        ask { [weak self] trouble in
            // One that was sent is sent again to the next keeper; one that never was is not begun.
            guard let trouble, let self, record.latest == nil else { return }
            forget(record, RuntimeError.deploymentRefused(message: trouble))
        }
        keeper.say(.deploy(order))
    }

    func cancel(_ id: String, for connection: ControlConnection) {
        if let record = records[id], !record.hasEnded {
            record.isCancelled = true
            keeper.say(.cancelDeployment(id: id))
            return connection.send(VarlinkReply())
        }
        let unknown = RuntimeError.noSuchDeployment(id: id).reply
        guard !keeper.isReady, !keeper.isStopped, records[id] == nil, hasBundles else {
            return connection.send(unknown)
        }
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
        let found = keeper.isAlive ? nil : findBundles()
        if let found, isComplete, found != bundles.mapValues(\.current) { isComplete = false }
        if isComplete { return connection.send(reply) }
        guard !keeper.isStopped else { return connection.send(Self.stopping.reply) }
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
        guard !keeper.isStopped else { return }
        if keeper.isReady { return keeper.say(.crashLooped(bundle: bundle, text: text)) }
        // Of several the first: it says how it began.
        if !crashLoops.contains(where: { $0.bundle == bundle }) { crashLoops.append((bundle, text)) }
        keeper.want()
    }

    // MARK: Keeper

    /// Calls back when the keeper is ready, or with the reason why it will not be for now.
    private func ask(_ body: @escaping (String?) -> Void) {
        if keeper.isReady { return body(nil) }
        if let obstacle = keeper.obstacle { return body(obstacle) }
        waiting.append(body)
        keeper.want()
    }

    private func answer(_ trouble: String?) {
        let bodies = waiting
        waiting = []
        for body in bodies { body(trouble) }
    }

    /// A new keeper is ready: it is told what it does not know.
    private func brief() {
        isComplete = true
        for name in bundles.keys where !told.bundles.contains(name) { bundles[name] = nil }
        for record in open.compactMap({ records[$0] }) {
            if let order = record.order {
                keeper.say(.deploy(order))
            } else if !told.deployments.contains(record.id) {
                // Nobody knows it any more.
                forget(record, RuntimeError.noSuchDeployment(id: record.id))
                continue
            }
            if record.isCancelled { keeper.say(.cancelDeployment(id: record.id)) }
        }
        for (bundle, text) in crashLoops { keeper.say(.crashLooped(bundle: bundle, text: text)) }
        crashLoops = []
        answer(nil)
    }

    /// Ends the keeper, and starts none any more. What it does is on disk, and the next one goes on with it.
    func stop() {
        guard !keeper.isStopped else { return }
        keeper.stop()
        for record in open.compactMap({ records[$0] }) { record.abandon(Self.stopping) }
        answer("the runtime is stopping")
    }

    /// The runtime goes on after all.
    func resume() {
        guard keeper.isStopped else { return }
        keeper.resume()
        if !open.isEmpty || hasBundles { keeper.want() }
    }

    // MARK: Reports

    private func take(_ report: ExecutorReport) {
        switch report {
        case .deployment(let deployment): take(deployment)
        case .bundle(let bundle):
            bundles[bundle.name] = bundle
            told.bundles.insert(bundle.name)
        case .apply(let step): keeper.answer(step, apply())
        case .selfTest(let step, let bundle, let command, let timeLimit):
            tests.begin(SelfTestOrder(bundle: bundle, command: command, timeLimit: timeLimit), as: step)
        case .abandonStep(let step): tests.abandon(step)
        case .log(let level, let line): onLog(level, line)
        case .ready, .idle, .startHost, .progress, .result, .ended, .unknown: break
        }
    }

    private func take(_ report: DeploymentReport) {
        told.deployments.insert(report.id)
        let record = records[report.id] ?? DeploymentRecord(id: report.id)
        if records[report.id] == nil {
            records[report.id] = record
            open.append(report.id)
        }
        // The keeper takes orders once it has told what it found.
        if !keeper.isReady, record.goesOn(after: report) { return }
        // An end is told once more to whoever asks again.
        let wasOpen = !record.hasEnded
        if record.tell(report, at: loop.now) { onChange(report) }
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
}
