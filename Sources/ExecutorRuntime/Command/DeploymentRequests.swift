import ControlProtocol
import PluginSession

/// What a plugin asks of bundles, as methods of the runtime. Deployments outlive the plugin's process and even holdfastd, so
/// they are named after the command: whoever gives the same command again finds them.
final class DeploymentRequests {
    typealias Answer = (Result<PluginAnswer, PluginRefusal>) -> Void

    private enum Key: String {
        case name, version, file, force, bundles
        case downloadWithin = "download_within_s"
    }

    private let runtime: RuntimeQuestions
    private let command: String
    private var count = 0
    private var underWay: Set<String> = []

    /// Called with how far it has come, in percent and in words.
    var onProgress: (_ percent: Int?, _ words: String) -> Void = { _, _ in }

    /// - Parameter runtime: a connection of its own, on which each call waits for the one before.
    init(_ runtime: RuntimeQuestions, command: String) {
        self.runtime = runtime
        self.command = command
    }

    func answer(_ request: PluginRequest, _ answer: @escaping Answer) {
        switch request.call {
        case .activateBundle(let name, let version): deploy(name, .deploy, version: version, answer)
        case .restoreBundle(let name, let version): deploy(name, .rollback, version: version, answer)
        case .other(let arguments): other(request.name, .object(arguments), answer)
        case .fetchArtifact, .askTree, .emit: break
        }
    }

    private func other(_ name: String, _ arguments: JSONValue, _ answer: @escaping Answer) {
        do throws(JSONError) {
            switch name {
            case "bundle.deploy":
                let bundle: String = try arguments.required(Key.name)
                let version: String = try arguments.required(Key.version)
                let seconds: Double? = try arguments.optional(Key.downloadWithin)
                deploy(
                    bundle, .deploy, version: version, file: try arguments.optional(Key.file),
                    isForced: try arguments.optional(Key.force) ?? false,
                    downloadWithin: seconds.map { .seconds($0) }, answer)
            case "bundle.rollback":
                deploy(
                    try arguments.required(Key.name), .rollback, version: try arguments.optional(Key.version),
                    isForced: try arguments.optional(Key.force) ?? false, answer)
            case "bundle.list": runtime.ask(RuntimeMethod.Name.deployments.rawValue, [:], answer)
            default: answer(.failure(PluginRefusal(.unsupported, "this version of Holdfast offers no \(name)")))
            }
        } catch {
            answer(.failure(PluginRefusal(.invalid, "the arguments of \(name) are wrong: \(error)")))
        }
    }

    private func deploy(
        _ bundle: String, _ intent: DeploymentOrder.Intent, version: String?, file: String? = nil,
        isForced: Bool = false, downloadWithin: Duration? = nil, _ answer: @escaping Answer
    ) {
        // The same command asks for the same things in the same order.
        count += 1
        let id = count == 1 ? command : "\(command)#\(count)"
        let order = DeploymentOrder(
            id: id, bundle: bundle, intent, version: version, file: file, isForced: isForced,
            downloadWithin: downloadWithin)
        underWay.insert(id)
        runtime.follow(.deploy(order)) { [weak self] update in
            guard let report = try? DeploymentReport(json: .object(update)) else { return }
            let words = [report.state.rawValue, report.message].compactMap { $0 }
            self?.onProgress(report.percent, words.joined(separator: ": "))
        } _: { [weak self] result in
            self?.underWay.remove(id)
            answer(Self.judge(result))
        }
    }

    /// Only what is committed is a success.
    private static func judge(_ result: Result<PluginAnswer, PluginRefusal>) -> Result<PluginAnswer, PluginRefusal> {
        guard case .success(let answer) = result, let report = try? DeploymentReport(json: answer.json),
            report.state != .committed
        else { return result }
        let code = report.code.map { " (\($0))" } ?? ""
        let state = report.state == .rolledBack ? "it was rolled back: " : ""
        return .failure(PluginRefusal(.failed, "\(state)\(report.message ?? "it has failed")\(code)"))
    }

    /// The command has ended otherwise: nobody waits for what it has begun.
    func callOff(by other: RuntimeQuestions?) {
        for id in underWay { other?.ask(RuntimeMethod.Name.cancelDeployment.rawValue, ["id": .string(id)]) { _ in } }
        underWay = []
    }
}
