import FleetAPI
import HTTPTypes
import Hummingbird
import NIOCore

extension Central {
    /// For routes that anybody may call.
    func admitStranger(_ request: Request, _ context: CentralContext) throws {
        let address = address(request, context)
        guard let seconds = strangers.admit(address, at: clock.now()) else { return }
        metrics.countRefusal("rate")
        throw Problem(
            .tooManyRequests, .tooManyRequests, "Too many requests", "one address may not ask that often",
            retryAfter: seconds)
    }

    /// What the proxy added is the last; what stands before may be made up.
    private func address(_ request: Request, _ context: CentralContext) -> String {
        if settings.isBehindProxy, let name = HTTPField.Name("X-Forwarded-For"),
            let last = request.headers[name]?.split(separator: ",").last
        {
            return String(last.drop { $0 == " " }.prefix(64))
        }
        return context.channel.remoteAddress?.ipAddress ?? "unknown"
    }
}
