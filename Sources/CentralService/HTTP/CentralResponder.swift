import CentralStore
import FleetAPI
import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1

/// Answers every request.
///
/// A connection's task keeps the deepest stack that it ever had, a kilobyte for every few calls (swift::StackAllocator). So
/// what goes deep has a task of its own, and devices wait for commands here, where the stack is shallow: with 10,000 of
/// them that is a fifth of central's memory.
struct CentralResponder: HTTPResponder {
    typealias Context = CentralContext

    let routes: RouterResponder<CentralContext>
    let metrics: ServiceMetrics

    func respond(to request: Request, context: CentralContext) async throws -> Response {
        let began = ContinuousClock.now
        var response = try await Task { try await routes.respond(to: request, context: context) }.value
        if let postponed = context.takePostponed() {
            let outcome = await postponed.wait()
            response = try await Task {
                try await Problem.answering(request, context) { try await postponed.answer(outcome) }
            }.value
        }
        // Not even a problem has a body then.
        if request.method == .head { response = response.createHeadResponse() }
        metrics.count(response.status.code, route: context.endpointPath ?? "none", took: ContinuousClock.now - began)
        return response
    }
}

/// Turns whatever goes wrong into problem details, and logs once what is central's own fault.
struct ProblemMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: CentralContext, next: (Request, CentralContext) async throws -> Response
    ) async throws -> Response {
        try await Problem.answering(request, context) { try await next(request, context) }
    }
}

extension Problem {
    fileprivate static func answering(
        _ request: Request, _ context: CentralContext, _ body: () async throws -> Response
    ) async throws -> Response {
        do {
            return try await body()
        } catch let error as HTTPParserError {
            throw error
        } catch {
            return Problem(error, request, context).response
        }
    }

    private init(_ error: any Error, _ request: Request, _ context: CentralContext) {
        switch error {
        case let problem as Problem: self = problem
        case let error as StoreError: self.init(error)
        case let error as HTTPError where error.status == .notFound:
            self = .notFound("there is no \(request.method.rawValue) \(request.uri.path): see docs/openapi.yaml")
        case let error as HTTPError:
            self.init(.init("http"), error.status, error.status.reasonPhrase, error.body ?? error.status.reasonPhrase)
        default:
            context.logger.error(
                "cannot answer", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            self.init(
                .internalError, .internalServerError, "Central failed",
                "its log says why; the request can be sent again")
        }
    }

    init(_ error: StoreError) {
        switch error.code {
        case .notFound: self = .notFound(error.message)
        case .conflict: self = Problem(.conflict, .conflict, "It cannot be so", error.message)
        case .enrolmentRefused:
            self = Problem(.enrolmentRefused, .forbidden, "The device may not enrol", error.message)
        default: self = .invalid(error.message)
        }
    }
}
