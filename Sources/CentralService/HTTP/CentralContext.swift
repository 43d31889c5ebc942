import Hummingbird
import Logging
import NIOCore
import Synchronization

/// What goes along with a request.
struct CentralContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel
    private let postponement = Postponement()

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    var connection: ObjectIdentifier { ObjectIdentifier(channel) }

    /// Has the request answered later.
    /// - Returns: what a route returns meanwhile; nobody sees it.
    func postpone(_ postponed: Postponed) -> Response {
        postponement.state.withLock { $0 = postponed }
        return .noContent
    }

    func takePostponed() -> Postponed? { postponement.state.withLock { $0.take() } }
}

/// An answer that has to wait for something.
struct Postponed: Sendable {
    let wait: @Sendable () async -> WaitingRoom.Outcome
    let answer: @Sendable (WaitingRoom.Outcome) async throws -> Response
}

private final class Postponement: Sendable {
    let state = Mutex<Postponed?>(nil)
}
