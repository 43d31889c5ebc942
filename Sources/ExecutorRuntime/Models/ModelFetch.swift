import DownloadProtocol
import LinuxSystem
import ModelCache
import MonotonicTime

/// Brings one model into the cache, unless it is there: makes room, has the uplink fetch what is missing, and compares what came.
final class ModelFetch {
    struct Order: Sendable {
        var sha256: String
        /// `nil`: only what is there is wanted.
        var length: Int?
        var priority = 0
        var minimumSpeed = 1024
        var within: Duration = .seconds(3600)
    }

    private enum Preparation: Sendable {
        case isThere
        /// The file, and how much of it there is.
        case file(Int32, Int)
    }

    private let loop: EventLoop
    private let store: ModelStore
    private let downloads: DownloadClient
    private let order: Order
    private let until: MonotonicInstant

    /// Called with how far it has come, in percent, or in words.
    var onProgress: (_ percent: Int?, _ words: String) -> Void = { _, _ in }
    /// Called once, later: whether it was there, or why it is not.
    var onEnd: (Result<Bool, ModelCacheError>) -> Void = { _ in }

    init(_ order: Order, loop: EventLoop, store: ModelStore, downloads: DownloadClient) {
        self.order = order
        self.loop = loop
        self.store = store
        self.downloads = downloads
        until = loop.now + order.within
    }

    func begin() { prepare(isLastTry: false) }

    private func prepare(isLastTry: Bool) {
        let order = order
        store.perform { (cache) throws(ModelCacheError) -> Preparation in
            if try cache.has(order.sha256) {
                try cache.use(order.sha256)
                return .isThere
            }
            guard let length = order.length else {
                throw ModelCacheError(
                    .missing, "the device does not have \(order.sha256); to have it fetched, its length has to be said")
            }
            try cache.makeRoom(for: order.sha256, length: length, priority: order.priority)
            do throws(SystemError) {
                let (file, offset) = try PartialFile.open(cache.partialPlace(of: order.sha256), length: length)
                return .file(file, offset)
            } catch {
                throw ModelCacheError(error)
            }
        } then: { [self] result in
            switch result {
            case .failure(let error): onEnd(.failure(error))
            case .success(.isThere): onEnd(.success(true))
            case .success(.file(let file, let offset)):
                fetch(SharedDescriptor(Descriptor(owning: file)), offset, order.length ?? 0, isLastTry: isLastTry)
            }
        }
    }

    private func fetch(_ file: SharedDescriptor, _ offset: Int, _ length: Int, isLastTry: Bool) {
        let download = DownloadOrder(
            .content(sha256: order.sha256, length: length), offset: offset, minimumSpeed: order.minimumSpeed,
            within: max(.zero, loop.now.duration(to: until)))
        _ = downloads.fetch(download, into: file) { [weak self] progress in
            switch progress {
            case .bytes(let count): self?.onProgress(length > 0 ? min(100, count * 100 / length) : 100, "fetching")
            case .retrying(let why): self?.onProgress(nil, "fetching: \(why)")
            }
        } onEnd: { [self] result in
            switch result {
            case .failure(let failure):
                onEnd(.failure(ModelCacheError(.init(failure.code.rawValue), failure.message)))
            case .success(let arrival): adopt(length, isLastTry: isLastTry || arrival == .inOneGo)
            }
        }
    }

    private func adopt(_ length: Int, isLastTry: Bool) {
        let order = order
        store.perform { (cache) throws(ModelCacheError) in
            // Another executor may have been faster.
            if try cache.has(order.sha256) { return }
            try cache.adopt(order.sha256, length: length, priority: order.priority)
        } then: { [self] result in
            switch result {
            case .success: onEnd(.success(false))
            // An earlier try had left something wrong: all of it is fetched again, once.
            case .failure(let error) where error.code == .damaged && !isLastTry: prepare(isLastTry: true)
            case .failure(let error): onEnd(.failure(error))
            }
        }
    }
}
