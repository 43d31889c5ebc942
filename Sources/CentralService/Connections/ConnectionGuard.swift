import NIOCore
import NIOHTTPTypes

/// What a connection costs at most: a client that sends slowly is cut off, and one that has gone stops waiting.
final class ConnectionGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    /// From a request's head to its end. A megabyte at 20 KB/s fits; slower devices send smaller batches.
    static let requestTime: TimeAmount = .seconds(60)

    private let room: WaitingRoom
    private var deadline: Scheduled<Void>?

    init(room: WaitingRoom) { self.room = room }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            let channel = context.channel
            deadline = context.eventLoop.scheduleTask(in: Self.requestTime) { channel.close(promise: nil) }
        case .body: break
        case .end:
            deadline?.cancel()
            deadline = nil
        }
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // No HTTP client half-closes a connection that it still wants an answer on, but for some that give up.
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = nil
        room.leave(connection: ObjectIdentifier(context.channel))
        context.fireChannelInactive()
    }
}
