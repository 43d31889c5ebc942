import ControlProtocol
import LinuxSystem
import PluginSession

/// Answers what a plugin asks of the host, as far as it was granted.
final class HostRequests {
    private let grants: Set<PluginGrant>
    /// `nil` where nothing of the tree was granted.
    var runtime: RuntimeQuestions?
    /// Takes what lasts: `runtime` answers one question after the other.
    var deployments: DeploymentRequests?
    /// `nil` where neither artifacts nor models were granted.
    var models: ModelRequests?
    /// `nil` where nobody takes telemetry.
    var telemetry: SharedDescriptor?

    /// In bytes (docs/telemetry.md).
    private static let longestReading = 64 * 1024

    /// - Parameter names: those that are not known grant nothing.
    init(grants names: Set<String>) {
        grants = Set(names.compactMap { PluginGrant(rawValue: $0) }).union([.telemetry])
    }

    func answer(_ request: PluginRequest, _ answer: @escaping (Result<PluginAnswer, PluginRefusal>) -> Void) {
        if let grant = request.grant, !grants.contains(grant) {
            return answer(.failure(Self.notGranted(request, grant)))
        }
        switch request.call {
        case .askTree(let method, let parameters):
            guard let runtime else { return answer(.failure(Self.notGranted(request, .treeRead))) }
            runtime.ask(method, parameters, answer)
        case .emit(let reading): answer(emit(.object(reading)))
        case .activateBundle, .restoreBundle: ask(deployments, request, answer)
        case .other where request.grant == .bundle: ask(deployments, request, answer)
        case .fetchArtifact: ask(models, request, answer)
        case .other where request.grant == .model: ask(models, request, answer)
        case .other:
            answer(.failure(PluginRefusal(.unsupported, "this version of Holdfast offers no \(request.name)")))
        }
    }

    private func ask(
        _ deployments: DeploymentRequests?, _ request: PluginRequest, _ answer: @escaping RuntimeQuestions.Answer
    ) {
        guard let deployments else { return answer(.failure(Self.notGranted(request, .bundle))) }
        deployments.answer(request, answer)
    }

    private func ask(
        _ models: ModelRequests?, _ request: PluginRequest, _ answer: @escaping RuntimeQuestions.Answer
    ) {
        guard let models else {
            return answer(.failure(PluginRefusal(.unsupported, "this device has no place for \(request.name)")))
        }
        models.answer(request, answer)
    }

    private static func notGranted(_ request: PluginRequest, _ grant: PluginGrant) -> PluginRefusal {
        PluginRefusal(.notGranted, "the plugin was not granted \"\(grant.rawValue)\", which \(request.name) needs")
    }

    private func emit(_ reading: JSONValue) -> Result<PluginAnswer, PluginRefusal> {
        guard let number = telemetry?.rawValue else {
            return .failure(PluginRefusal(.unsupported, "nobody takes telemetry here ([uplink] enabled is false)"))
        }
        let bytes = reading.serialised()
        guard bytes.count <= Self.longestReading else {
            return .failure(
                PluginRefusal(.tooLong, "it has \(bytes.count) bytes, and \(Self.longestReading) are taken"))
        }
        do throws(SystemError) {
            guard case .done = try SystemCall.write(number, bytes) else {
                return .failure(PluginRefusal(.failed, "too much waits already; try again later"))
            }
            return .success(PluginAnswer())
        } catch {
            return .failure(PluginRefusal(.failed, error.message))
        }
    }
}
