import HTTPTypes
import Hummingbird

/// One line of the table of routes, from which the router and the check of docs/openapi.yaml are made.
struct Route: Sendable {
    let method: HTTPRequest.Method
    /// With `{name}` for what varies, as in OpenAPI.
    let path: String
    let handle: @Sendable (Request, CentralContext) async throws -> Response

    init(
        _ method: HTTPRequest.Method, _ path: String,
        _ handle: @escaping @Sendable (Request, CentralContext) async throws -> Response
    ) {
        self.method = method
        self.path = path
        self.handle = handle
    }
}

extension Central {
    /// All that central answers.
    var routes: [Route] { deviceRoutes + operatorRoutes }

    var responder: CentralResponder {
        let router = Router(context: CentralContext.self)
        router.add(middleware: ProblemMiddleware())
        for route in routes { router.on(RouterPath(route.path), method: route.method, use: route.handle) }
        return CentralResponder(routes: router.buildResponder(), metrics: metrics)
    }
}
