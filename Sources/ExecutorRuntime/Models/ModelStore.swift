import BundleStore
import LinuxSystem
import ModelCache
import MonotonicTime

/// Has a thread do one step in the model cache after the other. The cache is opened for each, since executors of other plugins
/// work in it too.
final class ModelStore {
    private let loop: EventLoop
    private let thread: JobThread
    private let folder: String
    private let budget: Int

    /// While another process works in the cache.
    private static let pause: Duration = .milliseconds(50)
    private static let mostTries = 1200

    init(loop: EventLoop, folder: String, budget: Int) throws(SystemError) {
        self.loop = loop
        thread = try JobThread(loop: loop)
        self.folder = folder
        self.budget = budget
    }

    /// - Parameter completion: called later.
    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (ModelCache) throws(ModelCacheError) -> Value,
        then completion: @escaping (Result<Value, ModelCacheError>) -> Void
    ) {
        perform(body, try: 1, completion)
    }

    private func perform<Value: Sendable>(
        _ body: @escaping @Sendable (ModelCache) throws(ModelCacheError) -> Value, try number: Int,
        _ completion: @escaping (Result<Value, ModelCacheError>) -> Void
    ) {
        let (folder, budget) = (folder, budget)
        thread.perform {
            Result { () throws(ModelCacheError) in
                let files: StoreFolder
                do throws(SystemError) {
                    files = try StoreFolder(folder)
                    // Workers of other users read what they serve.
                    try SystemCall.changeMode(of: folder, to: 0o755)
                } catch {
                    throw ModelCacheError(error)
                }
                return try body(try ModelCache(files, budget: budget))
            }
        } _: { [weak self] result in
            guard let self else { return }
            if case .failure(let error) = result, error.code == .busy, number < Self.mostTries {
                loop.schedule(at: loop.now + Self.pause) { [weak self] in
                    self?.perform(body, try: number + 1, completion)
                }
                return
            }
            completion(result)
        }
    }
}
