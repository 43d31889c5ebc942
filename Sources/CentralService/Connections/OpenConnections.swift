import Synchronization

/// The tasks of the connections that are open.
///
/// Each is a task of its own. Within one task group, as Hummingbird has it, the runtime searches the list of all of them from
/// its beginning whenever one ends (TaskGroup::removeChildTask): with 20,000 connections that is milliseconds for each.
final class OpenConnections: Sendable {
    private struct State {
        var tasks: [UInt64: Task<Void, Never>] = [:]
        /// Ended before it was noted that they had begun.
        var ended: Set<UInt64> = []
        var next: UInt64 = 0
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Begins to serve a connection, and returns at once.
    func add(_ serve: @escaping @Sendable () async -> Void) {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        let task = Task {
            await serve()
            remove(number)
        }
        state.withLock { state in
            if state.ended.remove(number) == nil { state.tasks[number] = task }
        }
    }

    private func remove(_ number: UInt64) {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.tasks.removeValue(forKey: number) == nil { state.ended.insert(number) }
            guard state.tasks.isEmpty else { return nil }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    /// Waits for the last one to end, once none is added any more.
    func drained() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if !state.tasks.isEmpty { state.waiting = continuation }
                return state.tasks.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
    }

    func cancel() {
        for task in state.withLock({ Array($0.tasks.values) }) { task.cancel() }
    }
}
