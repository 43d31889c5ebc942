import BundleFormat
import ControlProtocol
import Deployment
import DownloadProtocol
import ExecutorProtocol
import LinuxSystem
import MonotonicTime

/// Brings the archive of one version onto the device: first what was signed, then the archive itself, going on where an earlier try
/// has ended.
final class BundleDownload {
    private let loop: EventLoop
    private let work: StoreQueue
    private let client: DownloadClient
    private let settings: DeploymentSettings
    private let order: Order
    private let until: MonotonicInstant
    private var fetch: Int?
    private var isStopped = false

    struct Order {
        var bundle: String
        var version: BundleVersion
        var file: String?
        var within: Duration
    }

    /// Called with how far it has come, in percent, or in words.
    var onProgress: (_ percent: Int?, _ words: String?) -> Void = { _, _ in }
    /// Called once, later, unless it is stopped before. `nil`: the archive is there, or the version is.
    var onEnd: (_ problem: String?) -> Void = { _ in }
    /// Names of archives that others still need.
    var othersKeep: () -> Set<String> = { [] }
    private(set) var wanted: StoreWork.Wanted?

    init(
        _ order: Order, loop: EventLoop, work: StoreQueue, client: DownloadClient, settings: DeploymentSettings
    ) {
        self.order = order
        self.loop = loop
        self.work = work
        self.client = client
        self.settings = settings
        until = loop.now + order.within
    }

    func begin() {
        let (bundle, version) = (order.bundle, order.version)
        work.perform { (store) throws(BundleError) in
            try store.has(bundle, version)
        } then: { [weak self] in
            self?.looked($0)
        }
    }

    func stop() {
        isStopped = true
        if let fetch { client.stop(fetch) }
        fetch = nil
    }

    private func finish(_ problem: String?) {
        guard !isStopped else { return }
        isStopped = true
        onEnd(problem)
    }

    private var left: Duration { max(.zero, loop.now.duration(to: until)) }

    // MARK: Metadata

    private func looked(_ isThere: Result<Bool, BundleError>) {
        guard !isStopped else { return }
        switch isThere {
        case .success(true): return finish(nil)
        case .failure(let error): return finish(error.sentence)
        case .success(false): break
        }
        guard let file = order.file else {
            return finish("\(order.version) is not on the device, and the order does not name a file to fetch")
        }
        work.perform { (store) throws(BundleError) in
            try store.openMetadata()
        } then: { [weak self] result in
            // Owned at once: whoever was to have it may be gone.
            let opened = result.map { SharedDescriptor(Descriptor(owning: $0)) }
            self?.fetchMetadata(opened, for: file)
        }
    }

    private func fetchMetadata(_ opened: Result<SharedDescriptor, BundleError>, for file: String) {
        guard !isStopped else { return }
        let descriptor: SharedDescriptor
        switch opened {
        case .failure(let error): return finish(error.sentence)
        case .success(let opened): descriptor = opened
        }
        let download = DownloadOrder(
            .metadata(name: StoreWork.metadata, longest: StoreWork.longestMetadata),
            minimumSpeed: settings.minimumSpeed, within: left)
        fetch = client.fetch(download, into: descriptor) { [weak self] in
            self?.progressed($0, of: nil)
        } onEnd: { [weak self] result in
            guard let self, !isStopped else { return }
            fetch = nil
            if case .failure(let failure) = result {
                return finish("\(StoreWork.metadata) cannot be fetched: \(failure.message)")
            }
            let order = order
            work.perform { (store) throws(BundleError) in
                try store.acceptMetadata()
                return try store.wanted(order.bundle, order.version, file: file)
            } then: { [weak self] in
                self?.judged($0)
            }
        }
    }

    // MARK: Archive

    private func judged(_ found: Result<StoreWork.Wanted, BundleError>) {
        guard !isStopped else { return }
        switch found {
        case .failure(let error): finish(error.sentence)
        case .success(let wanted):
            self.wanted = wanted
            open(wanted, isLastTry: false)
        }
    }

    private func open(_ wanted: StoreWork.Wanted, isLastTry: Bool) {
        let others = othersKeep()
        work.perform { (store) throws(BundleError) in
            try store.openDownload(wanted, keeping: others)
        } then: { [weak self] result in
            switch result {
            case .failure(let error): self?.finish(error.sentence)
            case .success(let (file, offset)):
                let descriptor = SharedDescriptor(Descriptor(owning: file))
                self?.fetch(wanted, descriptor, offset: offset, isLastTry: isLastTry)
            }
        }
    }

    private func fetch(_ wanted: StoreWork.Wanted, _ file: SharedDescriptor, offset: Int, isLastTry: Bool) {
        guard !isStopped else { return }
        guard offset < wanted.length else { return check(wanted, isLastTry: isLastTry) }
        let download = DownloadOrder(
            .content(sha256: wanted.sha256, length: wanted.length), offset: offset,
            minimumSpeed: settings.minimumSpeed, within: left)
        fetch = client.fetch(download, into: file) { [weak self] in
            self?.progressed($0, of: wanted.length)
        } onEnd: { [weak self] result in
            guard let self, !isStopped else { return }
            fetch = nil
            switch result {
            case .failure(let failure): finish(failure.message)
            // It is hashed when its signature is looked at.
            case .success(.inOneGo): finish(nil)
            case .success(.continued): check(wanted, isLastTry: isLastTry)
            }
        }
    }

    /// Where an earlier try had left something wrong, all of it is fetched again, once.
    private func check(_ wanted: StoreWork.Wanted, isLastTry: Bool) {
        work.perform { (store) throws(BundleError) in
            try store.isRight(wanted)
        } then: { [weak self] result in
            guard let self, !isStopped else { return }
            switch result {
            case .failure(let error): finish(error.sentence)
            case .success(true): finish(nil)
            case .success(false) where isLastTry: finish("what came is not what was signed")
            case .success(false): open(wanted, isLastTry: true)
            }
        }
    }

    private func progressed(_ progress: DownloadClient.Progress, of length: Int?) {
        guard !isStopped else { return }
        switch progress {
        case .retrying(let message): onProgress(nil, message)
        case .bytes(let count):
            guard let length, length > 0 else { return }
            onProgress(min(100, count * 100 / length), nil)
        }
    }
}
