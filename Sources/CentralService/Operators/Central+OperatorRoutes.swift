import CentralStore
import HTTPTypes
import Hummingbird

extension Central {
    private typealias OperatorHandler = @Sendable (Request, CentralContext, Operator) async throws -> Response

    /// For operators (docs/openapi.yaml). What a route takes is here, so that none goes without.
    var operatorRoutes: [Route] {
        [
            route(.get, "/api/v1/me", .viewer, showMe),
            route(.get, "/api/v1/devices", .viewer, listDevices),
            route(.get, "/api/v1/devices/{id}", .viewer, showDevice),
            route(.patch, "/api/v1/devices/{id}", .operator, changeDevice),
            route(.delete, "/api/v1/devices/{id}", .admin, deleteDevice),
            route(.post, "/api/v1/devices/{id}/approve", .admin, approveDevice),
            route(.post, "/api/v1/devices/{id}/revoke", .admin, revokeDevice),
            route(.get, "/api/v1/devices/{id}/telemetry", .viewer, telemetry),
            route(.get, "/api/v1/devices/{id}/telemetry/latest", .viewer, latestTelemetry),
            route(.get, "/api/v1/devices/{id}/gaps", .viewer, listGaps),
            route(.get, "/api/v1/events", .viewer, listEvents),
            route(.get, "/api/v1/incidents", .viewer, listIncidents),
            route(.get, "/api/v1/commands", .viewer, listCommands),
            route(.post, "/api/v1/commands", .operator, createCommand),
            route(.get, "/api/v1/commands/{id}", .viewer, showCommand),
            route(.post, "/api/v1/commands/{id}/cancel", .operator, cancelCommand),
            route(.get, "/api/v1/commands/{id}/devices/{device}/attachment", .operator, attachment),
            route(.get, "/api/v1/bundles", .viewer, listBundles),
            route(.post, "/api/v1/bundles", .operator, createBundle),
            route(.get, "/api/v1/bundles/{name}/{version}", .viewer, showBundle),
            route(.delete, "/api/v1/bundles/{name}/{version}", .operator, removeBundle),
            route(.patch, "/api/v1/uploads/{sha256}", .operator, continueUpload),
            route(.get, "/api/v1/metadata/{name}", .viewer, showMetadata),
            route(.put, "/api/v1/metadata/{name}", .operator, putMetadata),
            route(.get, "/api/v1/deployments", .viewer, listDeployments),
            route(.post, "/api/v1/deployments", .operator, createDeployment),
            route(.get, "/api/v1/deployments/{id}", .viewer, showDeployment),
            route(.post, "/api/v1/deployments/{id}/pause", .operator, pauseDeployment),
            route(.post, "/api/v1/deployments/{id}/resume", .operator, resumeDeployment),
            route(.post, "/api/v1/deployments/{id}/cancel", .operator, cancelDeployment),
            route(.get, "/api/v1/tokens", .admin, listTokens),
            route(.post, "/api/v1/tokens", .admin, createToken),
            route(.delete, "/api/v1/tokens/{id}", .admin, revokeToken),
            route(.get, "/api/v1/audit", .admin, listAudit),
            route(.get, "/api/v1/stream", .viewer, stream),
            route(.get, "/metrics", .viewer, showMetrics),
            Route(.get, "/healthz", health),
            Route(.get, "/readyz", readiness),
        ]
    }

    private func route(
        _ method: HTTPRequest.Method, _ path: String, _ role: OperatorRole, _ handler: @escaping OperatorHandler
    ) -> Route {
        Route(method, path) { request, context in
            try await handler(request, context, try await self.operate(request, context, as: role))
        }
    }
}
