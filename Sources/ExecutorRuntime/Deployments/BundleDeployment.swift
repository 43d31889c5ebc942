import BundleFormat
import BundleStore
import ControlProtocol
import Deployment
import ExecutorProtocol
import LinuxSystem
import MonotonicTime

/// The deployments of one bundle: the machine that decides, and what it wants done. Every change goes through `handle`, whose
/// actions are performed in their order before anything else is handled.
final class BundleDeployment {
    /// What all bundles share.
    struct Surroundings {
        let loop: EventLoop
        let settings: DeploymentSettings
        let work: StoreQueue
        /// To look at what is current, and to write down how a deployment stands: both are quick.
        let view: BundleStore
        let client: DownloadClient
        let watch: HealthWatch
        let send: (ExecutorReport) -> Void
        let warn: (String) -> Void
        /// Numbers for what holdfastd is asked to do.
        let nextStep: () -> Int
        /// Archives that are being fetched for any bundle.
        let archivesInUse: () -> Set<String>
        let onChange: () -> Void
    }

    let name: String
    private let around: Surroundings
    private var machine = DeploymentMachine()
    private var timer: TimerID?
    private var deadline: MonotonicInstant?
    private var pending: [DeploymentMachine.Event] = []
    private var isHandling = false
    /// The versions that orders have named, by the order: for those that are refused.
    private var ordered: [String: String] = [:]
    /// What orders named as the file to fetch, by the version.
    private var files: [BundleVersion: String] = [:]
    private var download: (token: Int, BundleDownload)?
    /// What holdfastd does at the moment, by its number there.
    private var steps: [Int: Int] = [:]
    private var lastProgress: DeploymentReport?
    private var lastBundle: BundleReport?
    private var marked: [BundleVersion]?
    /// Tells a watch from those before it.
    private var observations = 0
    /// Waits for the end of what is under way.
    private var crashLoop: (version: BundleVersion, text: String)?
    /// Work in the store besides the machine's steps.
    private var chores = 0

    init(_ name: String, _ around: Surroundings) {
        self.name = name
        self.around = around
    }

    deinit {
        if let timer { around.loop.cancel(timer) }
    }

    /// What the disk has of it was taken up.
    private(set) var isRecovered = false

    /// Nothing is under way, and nothing is to come.
    var isIdle: Bool {
        (machine.record?.state.isEnd ?? true) && machine.deadline == nil && download == nil && steps.isEmpty
            && chores == 0
    }

    var archive: String? { download?.1.wanted?.sha256 }

    // MARK: Beginning

    /// Takes up what the disk has of it.
    func recover(_ finding: StoreWork.Finding) {
        var note = DeploymentNote()
        if let bytes = finding.note {
            do {
                note = try DeploymentNote(json: try JSONValue.parse(bytes))
            } catch {
                around.warn("\(name): what is known of its deployments cannot be read, and is begun anew: \(error)")
            }
        }
        // What was installed and committed by hand counts as well.
        let known = Set(note.history.good.map(\.version) + note.history.barred)
        let others = finding.good.filter { !known.contains($0.version) }
        let history = VersionHistory(
            good: note.history.good + others, barred: note.history.barred, candidate: note.history.candidate,
            ends: note.history.ends)
        guard let current = finding.current, finding.isCurrentIntact, note.record.map({ !$0.state.isEnd }) ?? false
        else {
            let intact = finding.isCurrentIntact ? finding.current.map { [$0] } ?? [] : []
            isRecovered = true
            return handle(.recovered(note.record, history, intact: Set(intact)))
        }
        // Over a deployment that has not ended, every byte is looked at.
        chore { [name] (store) throws(BundleError) in
            store.isIntact(name, current)
        } then: { [weak self] result in
            let isIntact = (try? result.get()) ?? false
            self?.isRecovered = true
            self?.handle(.recovered(note.record, history, intact: isIntact ? [current] : []))
        }
    }

    func take(_ order: DeploymentOrder) {
        let version: BundleVersion?
        if let text = order.version {
            guard let parsed = BundleVersion(identifier: text) else {
                return refuse(
                    order, "'\(text)' is no version of a bundle: VERSION@HASH, as holdfast bundle list shows it")
            }
            version = parsed
        } else {
            version = nil
        }
        let intent: DeploymentRequest.Intent
        switch (order.intent, version) {
        case (.deploy, let version?): intent = .deploy(version)
        case (.deploy, nil): return refuse(order, "which version is meant has to be said")
        case (.rollback, let version): intent = .rollback(to: version)
        }
        if let version, let file = order.file { files[version] = file }
        var request = DeploymentRequest(id: order.id, intent, isForced: order.isForced)
        if let within = order.downloadWithin { request.downloadWithin = within }
        ordered[order.id] = order.version
        handle(.requested(request))
    }

    private func refuse(_ order: DeploymentOrder, _ message: String) {
        around.send(
            .deployment(
                DeploymentReport(
                    id: order.id, bundle: order.bundle, version: order.version ?? "", state: .failed, code: "invalid",
                    message: message)))
    }

    func cancel(_ id: String) { handle(.cancelled(id: id)) }

    func crashLooped(_ text: String) {
        crashLoop = current.map { ($0, text) }
        deliverCrashLoop()
    }

    /// What is under way may lead away from that version by itself.
    private func deliverCrashLoop() {
        guard let (version, text) = crashLoop, isIdle else { return }
        crashLoop = nil
        if version == current { handle(.crashLooped(text)) }
    }

    /// - Returns: whether the step is one of this bundle's.
    func stepEnded(_ step: Int, _ problem: String?) -> Bool {
        guard let token = steps.removeValue(forKey: step) else { return false }
        handle(.finished(token: token, problem.map { .failed($0) } ?? .done))
        return true
    }

    // MARK: The machine

    private var current: BundleVersion? {
        (try? around.view.current(of: name)).flatMap { $0 }.flatMap { BundleVersion(identifier: $0) }
    }

    private func handle(_ event: DeploymentMachine.Event) {
        pending.append(event)
        guard !isHandling else { return }
        isHandling = true
        while !pending.isEmpty {
            let next = pending.removeFirst()
            perform(machine.handle(next, current: current, at: around.loop.now))
        }
        isHandling = false
        rearm()
        tellBundle()
        deliverCrashLoop()
        around.onChange()
    }

    private func rearm() {
        guard machine.deadline != deadline else { return }
        if let timer { around.loop.cancel(timer) }
        deadline = machine.deadline
        timer = deadline.map { at in
            around.loop.schedule(at: at) { [weak self] in
                guard let self else { return }
                (timer, deadline) = (nil, nil)
                handle(.deadlineReached)
            }
        }
    }

    private func perform(_ actions: [DeploymentMachine.Action]) {
        for action in actions {
            if case .persist(let record, let history) = action {
                do throws(BundleError) {
                    let bytes = DeploymentNote(record: record, history: history).json.serialised()
                    try around.view.saveDeployment(of: name, bytes)
                    markGood(history)
                } catch {
                    // Nothing of what comes with it is done.
                    around.warn("\(name): how its deployment stands cannot be written: \(error)")
                    return pending.insert(.persistFailed(error.sentence), at: 0)
                }
                continue
            }
            perform(action)
        }
    }

    private func perform(_ action: DeploymentMachine.Action) {
        switch action {
        case .persist: break
        case .perform(let step, let token): perform(step, token)
        case .abandon(let token): abandon(token)
        case .observe(let version): observe(version)
        case .endObservation:
            observations += 1
            around.watch.forget(name)
        case .report(let id, let state, let reason): report(id, state, reason)
        case .end(let end):
            report(end.id, end.state, end.reason)
            ordered[end.id] = nil
        case .collect(let kept):
            // An archive that was not unpacked yet is of use to whoever asks again.
            let archives = machine.record?.state == .committed ? around.archivesInUse() : nil
            chore { [name] (store) throws(BundleError) in
                try store.collect(name, keeping: kept, archives: archives)
            } then: { [weak self] in
                if let self, case .failure(let error) = $0 {
                    around.warn("\(name): versions that nobody needs are still there: \(error.sentence)")
                }
            }
        }
    }

    // MARK: Steps

    private func perform(_ step: DeploymentMachine.Step, _ token: Int) {
        let name = name
        switch step {
        case .download(let version): fetch(version, token)
        case .verify(let version):
            let file = files[version]
            job(token) { (store) throws(BundleError) in try store.verify(name, version, file: file) }
        case .unpack(let version):
            around.work.perform { (store) throws(BundleError) in
                try store.unpack(name, version)
            } then: { [weak self] in
                switch $0 {
                case .success(let terms): self?.handle(.finished(token: token, .unpacked(terms)))
                case .failure(let error): self?.handle(.finished(token: token, .failed(error.sentence)))
                }
            }
        case .checkTree(let version):
            job(token) { (store) throws(BundleError) in try store.checkTree(name, version) }
        case .switchTo(let version):
            job(token) { (store) throws(BundleError) in try store.switchTo(name, version) }
        case .apply:
            let step = around.nextStep()
            steps[step] = token
            around.send(.apply(step: step))
        case .selfTest(let version): test(version, token)
        }
    }

    private func job(_ token: Int, _ body: @escaping @Sendable (StoreWork) throws(BundleError) -> Void) {
        around.work.perform(body) { [weak self] result in
            switch result {
            case .success: self?.handle(.finished(token: token, .done))
            case .failure(let error): self?.handle(.finished(token: token, .failed(error.sentence)))
            }
        }
    }

    private func chore<Value: Sendable>(
        _ body: @escaping @Sendable (StoreWork) throws(BundleError) -> Value,
        then completion: @escaping (Result<Value, BundleError>) -> Void
    ) {
        chores += 1
        around.work.perform(body) { [weak self] result in
            self?.chores -= 1
            completion(result)
            self?.deliverCrashLoop()
        }
    }

    private func fetch(_ version: BundleVersion, _ token: Int) {
        let until = machine.stepDeadline ?? around.loop.now
        let download = BundleDownload(
            BundleDownload.Order(
                bundle: name, version: version, file: files[version],
                within: max(.zero, around.loop.now.duration(to: until))),
            loop: around.loop, work: around.work, client: around.client, settings: around.settings)
        download.othersKeep = around.archivesInUse
        download.onProgress = { [weak self] percent, words in self?.progressed(percent, words) }
        download.onEnd = { [weak self] problem in
            self?.download = nil
            self?.handle(.finished(token: token, problem.map { .failed($0) } ?? .done))
        }
        self.download = (token, download)
        download.begin()
    }

    private func abandon(_ token: Int) {
        if let (running, download) = download, running == token {
            download.stop()
            self.download = nil
        }
        for (step, owner) in steps where owner == token {
            steps[step] = nil
            around.send(.abandonStep(step: step))
        }
    }

    private func test(_ version: BundleVersion, _ token: Int) {
        let name = name
        chore { (store) throws(BundleError) in
            try store.selfTest(name, version)
        } then: { [weak self] result in
            guard let self else { return }
            switch result {
            case .failure(let error): handle(.finished(token: token, .failed(error.sentence)))
            case .success(nil): handle(.finished(token: token, .done))
            case .success(let test?):
                let step = around.nextStep()
                steps[step] = token
                around.send(.selfTest(step: step, bundle: name, command: test.command, timeLimit: test.timeout))
            }
        }
    }

    private func observe(_ version: BundleVersion) {
        let name = name
        observations += 1
        let number = observations
        chore { (store) throws(BundleError) in
            try store.contract(name, version)
        } then: { [weak self] result in
            guard let self, observations == number else { return }
            switch result {
            case .failure(let error): handle(.healthChanged(.failed(error.sentence)))
            case .success(let contract):
                around.watch.watch(contract) { [weak self] in self?.handle(.healthChanged($0)) }
            }
        }
    }

    private func markGood(_ history: VersionHistory) {
        let good = history.good.map(\.version)
        guard good != marked else { return }
        marked = good
        chore { [name] (store) throws(BundleError) in
            try store.markGood(good, of: name)
        } then: { [weak self] in
            if let self, case .failure(let error) = $0 {
                marked = nil
                around.warn("\(self.name): which versions are good cannot be marked: \(error.sentence)")
            }
        }
    }

    // MARK: Telling

    private func report(_ id: String, _ state: DeploymentRecord.State, _ reason: DeploymentReason?) {
        let version = machine.record.flatMap { $0.id == id ? $0.target.identifier : nil } ?? ordered[id] ?? ""
        around.send(
            .deployment(
                DeploymentReport(
                    id: id, bundle: name, version: version, state: DeploymentReport.State(state),
                    code: reason?.code.rawValue, message: reason?.text)))
    }

    private func progressed(_ percent: Int?, _ words: String?) {
        guard let record = machine.record, !record.state.isEnd else { return }
        let report = DeploymentReport(
            id: record.id, bundle: name, version: record.target.identifier,
            state: DeploymentReport.State(record.state), percent: percent, message: words)
        guard report != lastProgress else { return }
        lastProgress = report
        around.send(.deployment(report))
    }

    private func tellBundle() {
        var latest: DeploymentReport?
        if let record = machine.record {
            latest = DeploymentReport(
                id: record.id, bundle: name, version: record.target.identifier,
                state: DeploymentReport.State(record.state), code: record.reason?.code.rawValue,
                message: record.reason?.text)
        }
        let report = BundleReport(
            name: name, current: machine.current?.identifier ?? current?.identifier,
            good: machine.history.good.map(\.version.identifier), barred: machine.history.barred.map(\.identifier),
            deployment: latest)
        guard report != lastBundle else { return }
        lastBundle = report
        around.send(.bundle(report))
    }
}

extension DeploymentReport.State {
    init(_ state: DeploymentRecord.State) {
        self =
            switch state {
            case .downloading: .downloading
            case .verifying: .verifying
            case .unpacking: .unpacking
            case .staged: .staged
            case .activating: .activating
            case .probation: .probation
            case .committed: .committed
            case .reverting: .reverting
            case .rolledBack: .rolledBack
            case .failed: .failed
            }
    }
}
