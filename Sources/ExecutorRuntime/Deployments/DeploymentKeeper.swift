import BundleFormat
import BundleStore
import ControlProtocol
import ExecutorProtocol
import LinuxSystem
import MonotonicTime

/// Keeps the deployments of all bundles of the device: an executor without any plugin, and the only one that writes the bundle
/// store. There for as long as something is under way.
final class DeploymentKeeper {
    private let loop: EventLoop
    private let settings: DeploymentSettings
    private let client: DownloadClient
    private let watch: HealthWatch
    private let thread: JobThread
    private var work: StoreQueue?
    private var view: BundleStore?
    private var bundles: [String: BundleDeployment] = [:]
    /// Came before the store was open.
    private var early: [ExecutorRequest] = []
    private var lastStep = 0
    /// What holdfastd may still be about to say shows by what it has said and we have heard.
    private var heard = 0
    private var isOpen = false
    private var isReady = false
    private var isIdleTold = false
    private var retry: TimerID?
    private var hasSaidWhatItWaitsFor = false
    private let faults: StoreFaults

    var onReport: (ExecutorReport) -> Void = { _ in }
    var onWarning: (String) -> Void = { _ in }

    /// Somebody installs a bundle by hand.
    private static let pause: Duration = .milliseconds(500)

    init(_ settings: DeploymentSettings, loop: EventLoop) throws(SystemError) {
        self.settings = settings
        self.loop = loop
        faults = StoreFaults(settings.store)
        client = DownloadClient(loop: loop)
        watch = HealthWatch(loop: loop)
        thread = try JobThread(loop: loop)
    }

    deinit {
        if let retry { loop.cancel(retry) }
    }

    func start() { open() }

    func handle(_ request: ExecutorRequest, _ descriptor: SharedDescriptor?) {
        do throws(SystemError) {
            switch request {
            case .control: return try watch.connect(descriptor)
            case .downloads: return try client.connect(descriptor)
            default: break
            }
        } catch {
            return onWarning("a connection from holdfastd cannot be used: \(error)")
        }
        guard isReady else { return early.append(request) }
        isIdleTold = false
        switch request {
        case .deploy, .cancelDeployment, .crashLooped: heard += 1
        default: break
        }
        switch request {
        case .deploy(let order): take(order)
        case .cancelDeployment(let id): for bundle in Array(bundles.values) { bundle.cancel(id) }
        case .stepEnded(let step, let problem):
            for bundle in Array(bundles.values) where bundle.stepEnded(step, problem) { break }
        case .crashLooped(let bundle, let text): bundles[bundle]?.crashLooped(text)
        default: break
        }
        tellIfIdle()
    }

    private func take(_ order: DeploymentOrder) {
        if let known = bundles[order.bundle] { return known.take(order) }
        guard BundleManifest.isName(order.bundle) else {
            return onReport(
                .deployment(
                    DeploymentReport(
                        id: order.id, bundle: order.bundle, version: order.version ?? "", state: .failed,
                        code: "invalid",
                        message: "'\(order.bundle)' cannot be the name of a bundle")))
        }
        guard let bundle = add(order.bundle) else { return }
        bundle.recover(
            StoreWork.Finding(bundle: order.bundle, note: nil, current: nil, isCurrentIntact: true, good: []))
        bundle.take(order)
    }

    // MARK: Opening

    private func open() {
        let (settings, faults) = (settings, faults)
        thread.perform {
            Result { () throws(BundleError) in
                let work = try StoreWork(settings, wrap: faults.wrap)
                return (JobLocal(work), try work.findings())
            }
        } _: { [weak self] (result: Result<(JobLocal<StoreWork>, [StoreWork.Finding]), BundleError>) in
            self?.opened(result)
        }
    }

    private func opened(_ result: Result<(JobLocal<StoreWork>, [StoreWork.Finding]), BundleError>) {
        do throws(BundleError) {
            let (work, findings) = try result.get()
            let folder = try BundleError.system { () throws(SystemError) in try StoreFolder(reading: settings.store) }
            view = BundleStore(inspecting: faults.wrap(folder))
            let queue = StoreQueue(thread: thread, work)
            queue.onDone = { [weak self] in self?.tellIfIdle() }
            self.work = queue
            for finding in findings { add(finding.bundle)?.recover(finding) }
            isOpen = true
            changed()
        } catch {
            if !hasSaidWhatItWaitsFor {
                hasSaidWhatItWaitsFor = true
                onWarning("the bundle store \(settings.store) cannot be used, and is tried again: \(error.sentence)")
            }
            retry = loop.schedule(at: loop.now + Self.pause) { [weak self] in
                self?.retry = nil
                self?.open()
            }
        }
    }

    private func add(_ name: String) -> BundleDeployment? {
        guard let work, let view else { return nil }
        let bundle = BundleDeployment(
            name,
            BundleDeployment.Surroundings(
                loop: loop, settings: settings, work: work, view: view, client: client, watch: watch,
                send: { [weak self] in self?.send($0) }, warn: { [weak self] in self?.onWarning($0) },
                nextStep: { [weak self] in self?.nextStep() ?? 0 },
                archivesInUse: { [weak self] in Set(self?.bundles.values.compactMap(\.archive) ?? []) },
                onChange: { [weak self] in self?.changed() }))
        bundles[name] = bundle
        return bundle
    }

    private func send(_ report: ExecutorReport) {
        if case .deployment(let report) = report { faults.reached(report.state) }
        onReport(report)
    }

    private func nextStep() -> Int {
        lastStep += 1
        return lastStep
    }

    private func changed() {
        guard isOpen, !isReady, bundles.values.allSatisfy(\.isRecovered) else { return tellIfIdle() }
        isReady = true
        onReport(.ready)
        let requests = early
        early = []
        for request in requests { handle(request, nil) }
        tellIfIdle()
    }

    private func tellIfIdle() {
        let isIdle = isReady && bundles.values.allSatisfy(\.isIdle) && thread.isIdle
        guard isIdle != isIdleTold else { return }
        isIdleTold = isIdle
        if isIdle { onReport(.idle(heard: heard)) }
    }
}
