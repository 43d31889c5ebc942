import BundleFormat
import LinuxSystem

/// Has the store's thread do things, one after the other.
final class StoreQueue {
    private let thread: JobThread
    private let work: JobLocal<StoreWork>

    /// Called after each completion.
    var onDone: () -> Void = {}

    init(thread: JobThread, _ work: JobLocal<StoreWork>) {
        self.thread = thread
        self.work = work
    }

    var isIdle: Bool { thread.isIdle }

    /// - Parameter completion: called later.
    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (StoreWork) throws(BundleError) -> Value,
        then completion: @escaping (Result<Value, BundleError>) -> Void
    ) {
        let work = work
        thread.perform {
            Result { () throws(BundleError) in try body(work.value) }
        } _: { [weak self] in
            completion($0)
            self?.onDone()
        }
    }
}

extension BundleError {
    /// With each of its problems.
    var sentence: String { problems.isEmpty ? message : "\(message): \(problems.joined(separator: "; "))" }
}
