import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOSSL

/// A connection: TLS unless a proxy does that, and HTTP/1.1.
struct ServerChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    let tls: TLSContexts?
    let http: HTTP1Channel
    let connections: OpenConnections

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        // A device that vanished is noticed by the kernel, without a timer of ours.
        channel.setOption(ChannelOptions.socketOption(.so_keepalive), value: 1).flatMap {
            // A request for commands is half a kilobyte, and its buffer stays while the device waits.
            channel.setOption(
                ChannelOptions.recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1024, maximum: 65536))
        }.flatMap {
            channel.eventLoop.makeCompletedFuture {
                if let tls {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls.context))
                }
            }
        }.flatMap {
            http.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: Value, logger: Logger) async {
        connections.add { await http.handle(value: value, logger: logger) }
    }
}
