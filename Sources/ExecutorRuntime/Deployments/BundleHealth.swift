import ControlProtocol
import Deployment

/// How the workers of a bundle stand, from what the runtime reports of all workers. Pure.
struct BundleHealth {
    let contract: BundleContract
    private var restarts: [String: Int]?

    init(_ contract: BundleContract) { self.contract = contract }

    /// - Parameters:
    ///   - status: of the whole tree.
    ///   - use: what is known of probes; `nil` where nobody knows.
    /// - Returns: one or two, in their order: a restart since the last look is a break, however well all is by now.
    mutating func judge(_ status: StatusReport, _ use: [WorkerUseReport]?) -> [DeploymentMachine.Health] {
        let workers = Dictionary(status.workers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let own = contract.workers.compactMap { workers[$0] }
        let now = Dictionary(own.map { ($0.name, $0.restarts) }, uniquingKeysWith: { first, _ in first })
        let hasRestarted = restarts.map { before in now.contains { $0.value > before[$0.key] ?? $0.value } } ?? false
        restarts = now
        let health = health(status, own, use)
        return hasRestarted && health != .incomplete ? [.incomplete, health] : [health]
    }

    private func health(
        _ status: StatusReport, _ own: [WorkerReport], _ use: [WorkerUseReport]?
    ) -> DeploymentMachine.Health {
        for supervisor in supervisors(status) where supervisor.state == "parked" {
            return .failed("too many restarts: the supervisor \(supervisor.name) was parked")
        }
        for worker in own where worker.state == "failed" {
            let why = worker.lastExit.map { ": \($0.message)" } ?? ""
            return .failed("\(worker.name) has failed for good\(why)")
        }
        guard own.count == contract.workers.count else { return .incomplete }
        if own.contains(where: { $0.state == "paused" || $0.state == "stopped" || isShed($0) }) { return .suspended }
        guard own.allSatisfy({ $0.isReady || $0.state == "finished" }), probesPass(use) else { return .incomplete }
        return .well
    }

    /// Of those that are held, some wait for another worker.
    private func isShed(_ worker: WorkerReport) -> Bool { worker.state == "held" && !worker.pauseReasons.isEmpty }

    /// The bundle's own and all below it.
    private func supervisors(_ status: StatusReport) -> [SupervisorReport] {
        var names: Set<String> = [contract.bundle]
        var count = 0
        while names.count != count {
            count = names.count
            for supervisor in status.supervisors where supervisor.parent.map(names.contains) ?? false {
                names.insert(supervisor.name)
            }
        }
        return status.supervisors.filter { names.contains($0.name) }
    }

    /// No answer is not success.
    private func probesPass(_ use: [WorkerUseReport]?) -> Bool {
        contract.probes.allSatisfy { name in
            guard let probes = use?.first(where: { $0.name == name })?.probes, !probes.isEmpty else { return false }
            return probes.allSatisfy { $0.state == "passing" }
        }
    }
}
