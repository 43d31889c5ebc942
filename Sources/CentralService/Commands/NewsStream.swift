package import ControlProtocol
import Synchronization

/// Something that whoever watches the fleet wants to hear of.
package struct News: Sendable {
    /// `event`, `incident`, `device` or `command`.
    package var topic: String
    package var device: String?
    package var body: JSONObject
}

/// Passes on what happens to whoever listens right now. Keeps nothing: who comes later reads it from the store.
final class NewsStream: Sendable {
    /// A listener that is slower than that misses the oldest.
    private static let backlog = 1000
    static let listenersLimit = 200

    private struct State {
        var listeners: [Int: AsyncStream<News>.Continuation] = [:]
        var next = 0
        var isClosed = false
    }

    private let state = Mutex(State())

    var hasListeners: Bool { state.withLock { !$0.listeners.isEmpty } }

    /// - Returns: `nil` when there are too many.
    func listen() -> AsyncStream<News>? {
        let (stream, continuation) = AsyncStream.makeStream(
            of: News.self, bufferingPolicy: .bufferingNewest(Self.backlog))
        let number = state.withLock { state -> Int? in
            guard !state.isClosed, state.listeners.count < Self.listenersLimit else { return nil }
            state.next += 1
            state.listeners[state.next] = continuation
            return state.next
        }
        guard let number else { return nil }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { $0.listeners[number] = nil }
        }
        return stream
    }

    /// - Parameter news: made only when somebody listens.
    func publish(_ news: () -> [News]) {
        let listeners = state.withLock { Array($0.listeners.values) }
        guard !listeners.isEmpty else { return }
        for item in news() {
            for listener in listeners { listener.yield(item) }
        }
    }

    func close() {
        let listeners = state.withLock { state in
            state.isClosed = true
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }
}
