import ControlProtocol
import LinuxSystem
import ModelCache
import MonotonicTime
import PluginSession

/// What a plugin asks of artifacts and models (docs/models.md).
final class ModelRequests {
    typealias Answer = (Result<PluginAnswer, PluginRefusal>) -> Void

    static let grants: Set<String> = [PluginGrant.artifact.rawValue, PluginGrant.model.rawValue]

    private struct Slot: Hashable {
        var worker: String
        var model: String
    }

    private enum Key: String {
        case worker, model, sha256, length, priority, pinned, path, seconds, serving, budget, used, models, workers,
            turn
        case within = "within_s"
        case minimumSpeed = "minimum_speed"
        case wasThere = "was_there"
    }

    /// The way to the uplink.
    let downloads: DownloadClient
    private let loop: EventLoop
    private let store: ModelStore
    private let timeLimit: Duration
    /// One after the other: two that want the same thing do not write to the same file.
    private var fetches: [ModelFetch] = []
    private var staged: Set<Slot> = []

    /// Called with how far it has come, in percent, or in words.
    var onProgress: (_ percent: Int?, _ words: String) -> Void = { _, _ in }

    /// - Parameter timeLimit: of the command; nothing is fetched for longer.
    init(loop: EventLoop, folder: String, budget: Int, timeLimit: Duration) throws(SystemError) {
        self.loop = loop
        self.timeLimit = timeLimit
        store = try ModelStore(loop: loop, folder: folder, budget: budget)
        downloads = DownloadClient(loop: loop)
    }

    /// The command has ended: what was staged and not committed is not served.
    /// - Parameter completion: called when the disk knows, or cannot.
    func finish(_ completion: @escaping () -> Void) {
        let open = staged
        staged = []
        guard !open.isEmpty else { return completion() }
        store.perform { (cache) throws(ModelCacheError) in
            for slot in open { try cache.discard(slot.worker, slot.model) }
        } then: { _ in
            completion()
        }
    }

    func answer(_ request: PluginRequest, _ answer: @escaping Answer) {
        switch request.call {
        case .fetchArtifact(_, let sha256, let length, let within):
            fetch(ModelFetch.Order(sha256: sha256, length: length, within: within ?? timeLimit)) { [weak self] result in
                switch result {
                case .failure(let refusal): answer(.failure(refusal))
                case .success: self?.open(sha256, answer)
                }
            }
        case .other(let arguments): other(request.name, .object(arguments), answer)
        case .activateBundle, .restoreBundle, .askTree, .emit: break
        }
    }

    private func other(_ name: String, _ arguments: JSONValue, _ answer: @escaping Answer) {
        do throws(JSONError) {
            switch name {
            case "model.fetch": try fetch(arguments, answer)
            case "model.stage": try stage(arguments, answer)
            case "model.commit":
                try settle(arguments, answer) { (cache, slot) throws(ModelCacheError) in
                    try cache.commit(slot.worker, slot.model)
                }
            case "model.discard":
                try settle(arguments, answer) { (cache, slot) throws(ModelCacheError) in
                    try cache.discard(slot.worker, slot.model)
                }
            case "model.release":
                let slot = try slot(arguments)
                perform(answer) { (cache) throws(ModelCacheError) in try cache.release(slot.worker, slot.model) }
            case "model.pin": try pin(arguments, answer)
            case "model.list": list(answer)
            default: answer(.failure(PluginRefusal(.unsupported, "this version of Holdfast offers no \(name)")))
            }
        } catch {
            answer(.failure(PluginRefusal(.invalid, "the arguments of \(name) are wrong: \(error)")))
        }
    }

    private func slot(_ arguments: JSONValue) throws(JSONError) -> Slot {
        Slot(worker: try arguments.required(Key.worker), model: try arguments.required(Key.model))
    }

    // MARK: Fetching

    private func fetch(_ arguments: JSONValue, _ answer: @escaping Answer) throws(JSONError) {
        let seconds: Double? = try arguments.optional(Key.within)
        let sha256: String = try arguments.required(Key.sha256)
        let order = ModelFetch.Order(
            sha256: sha256, length: try arguments.required(Key.length) as Int,
            priority: try arguments.optional(Key.priority) ?? 0,
            minimumSpeed: max(1, try arguments.optional(Key.minimumSpeed) ?? 1024),
            within: min(timeLimit, seconds.map { .seconds(min(max($0, 0), 1e9)) } ?? timeLimit))
        let began = loop.now
        fetch(order) { [weak self] result in
            guard let self else { return }
            answer(
                result.map { wasThere in
                    let time = began.duration(to: self.loop.now).inSeconds
                    return PluginAnswer(.object([Key.wasThere: wasThere, .seconds: time]))
                })
        }
    }

    private func fetch(_ order: ModelFetch.Order, _ completion: @escaping (Result<Bool, PluginRefusal>) -> Void) {
        guard order.length ?? 0 >= 0 else {
            return completion(.failure(PluginRefusal(.invalid, "nothing has \(order.length ?? 0) bytes")))
        }
        let fetch = ModelFetch(order, loop: loop, store: store, downloads: downloads)
        fetch.onProgress = { [weak self] in self?.onProgress($0, $1) }
        fetch.onEnd = { [weak self] result in
            guard let self else { return }
            fetches.removeFirst()
            fetches.first?.begin()
            completion(result.mapError { Self.refusal($0) })
        }
        fetches.append(fetch)
        if fetches.count == 1 { fetch.begin() }
    }

    private func open(_ sha256: String, _ answer: @escaping Answer) {
        store.perform { (cache) throws(ModelCacheError) -> Int32 in
            do throws(SystemError) {
                return try SystemCall.open(cache.place(of: sha256), [.readOnly, .noFollow]).release()
            } catch {
                throw ModelCacheError(error)
            }
        } then: { result in
            answer(
                result.map { PluginAnswer(descriptor: SharedDescriptor(Descriptor(owning: $0))) }
                    .mapError { Self.refusal($0) })
        }
    }

    // MARK: Serving

    private func stage(_ arguments: JSONValue, _ answer: @escaping Answer) throws(JSONError) {
        let slot = try slot(arguments)
        let sha256: String = try arguments.required(Key.sha256)
        store.perform { (cache) throws(ModelCacheError) -> (String, String?) in
            try cache.stage(slot.worker, slot.model, sha256)
            let serving = try cache.serving(slot.worker, slot.model)
            return (cache.place(of: sha256), serving.map { cache.place(of: $0) })
        } then: { [weak self] result in
            if case .success = result { self?.staged.insert(slot) }
            answer(
                result.map { place, serving in
                    let former = serving.map { path in
                        JSONValue.object([Key.path: path, .sha256: path.split(separator: "/").last.map { String($0) }])
                    }
                    return PluginAnswer(.object([Key.path: place, .serving: former]))
                }.mapError { Self.refusal($0) })
        }
    }

    private func settle(
        _ arguments: JSONValue, _ answer: @escaping Answer,
        _ body: @escaping @Sendable (ModelCache, Slot) throws(ModelCacheError) -> Void
    ) throws(JSONError) {
        let slot = try slot(arguments)
        store.perform { (cache) throws(ModelCacheError) in
            try body(cache, slot)
        } then: { [weak self] result in
            if case .success = result { self?.staged.remove(slot) }
            answer(result.map { PluginAnswer() }.mapError { Self.refusal($0) })
        }
    }

    // MARK: Notes

    private func pin(_ arguments: JSONValue, _ answer: @escaping Answer) throws(JSONError) {
        let sha256: String = try arguments.required(Key.sha256)
        let isPinned: Bool? = try arguments.optional(Key.pinned)
        let priority: Int? = try arguments.optional(Key.priority)
        perform(answer) { (cache) throws(ModelCacheError) in
            try cache.use(sha256) { note in
                if let isPinned { note.isPinned = isPinned }
                if let priority { note.priority = priority }
            }
        }
    }

    private func list(_ answer: @escaping Answer) {
        store.perform { (cache) throws(ModelCacheError) -> JSONValue in
            let models = try cache.models().map { model in
                JSONValue.object([
                    Key.sha256: model.sha256, .length: model.length, .priority: model.note.priority,
                    .pinned: model.note.isPinned, .turn: model.note.turn, .workers: model.users,
                ])
            }
            return .object([Key.budget: cache.budget, .used: try cache.usedSize(), .models: JSONValue.array(models)])
        } then: { result in
            answer(result.map { PluginAnswer($0) }.mapError { Self.refusal($0) })
        }
    }

    private func perform(
        _ answer: @escaping Answer, _ body: @escaping @Sendable (ModelCache) throws(ModelCacheError) -> Void
    ) {
        store.perform(body) { result in
            answer(result.map { PluginAnswer() }.mapError { Self.refusal($0) })
        }
    }

    private static func refusal(_ error: ModelCacheError) -> PluginRefusal {
        PluginRefusal(error.code == .invalid ? .invalid : .failed, "\(error.message) (\(error.code.rawValue))")
    }
}
