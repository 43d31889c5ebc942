import Hummingbird
import Logging
import NIOCore

/// What goes along with a request.
struct CentralContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    var connection: ObjectIdentifier { ObjectIdentifier(channel) }
}
