import CentralStore
import FleetAPI
import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1

/// Answers every request: turns whatever goes wrong into problem details, and logs once what is central's own fault.
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
        var response = try await Task {
            try await Self.answer(request, context) { try await routes.respond(to: request, context: context) }
        }.value
        if let postponed = context.takePostponed() {
            let outcome = await postponed.wait()
            response = try await Task {
                try await Self.answer(request, context) { try await postponed.answer(outcome) }
            }.value
        }
        metrics.count(response.status.code, route: context.endpointPath ?? "none", took: ContinuousClock.now - began)
        return response
    }

    private static func answer(
        _ request: Request, _ context: CentralContext, _ body: () async throws -> Response
    ) async throws -> Response {
        do {
            return try await body()
        } catch let error as HTTPParserError {
            throw error
        } catch {
            return problem(error, request, context).response
        }
    }

    private static func problem(_ error: any Error, _ request: Request, _ context: CentralContext) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case let error as StoreError: return Problem(error)
        case let error as HTTPError where error.status == .notFound:
            return .notFound("there is no \(request.method.rawValue) \(request.uri.path): see docs/openapi.yaml")
        case let error as HTTPError:
            return Problem(
                .init("http"), error.status, error.status.reasonPhrase, error.body ?? error.status.reasonPhrase)
        default:
            context.logger.error(
                "cannot answer", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
            return Problem(
                .internalError, .internalServerError, "Central failed",
                "its log says why; the request can be sent again")
        }
    }
}

extension Problem {
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
