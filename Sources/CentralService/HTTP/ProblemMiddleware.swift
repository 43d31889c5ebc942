import CentralStore
import FleetAPI
import HTTPTypes
import Hummingbird
import Logging
import NIOHTTP1

/// Turns whatever goes wrong into problem details, and logs once what is central's own fault.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = CentralContext

    let metrics: ServiceMetrics

    func handle(
        _ request: Request, context: CentralContext, next: (Request, CentralContext) async throws -> Response
    ) async throws -> Response {
        let began = ContinuousClock.now
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            response = Self.problem(error, request, context).response
        }
        metrics.count(response.status.code, route: context.endpointPath ?? "none", took: ContinuousClock.now - began)
        return response
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
