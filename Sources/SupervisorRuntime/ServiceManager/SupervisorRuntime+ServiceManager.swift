import ControlProtocol
import LinuxSystem
import MonotonicTime
import Supervision

/// What the service manager is told, and from where.
extension SupervisorRuntime {
    func connectServiceManager() {
        serviceManager.summary = { [unowned self] in summary }
        serviceManager.treeDeadline = { [unowned self] in driver.timerDeadline }
    }

    /// For `systemctl status`: "12 workers: 10 ready, 1 backing off, 1 failed". The runtime's own processes count only
    /// while something is wrong with them.
    private var summary: String {
        let workers = driver.status.workers.filter {
            $0.supervisor != SupervisorSpecification.systemName || $0.state != .ready
        }
        let sentence = StateCounts(workers.map(\.state.rawValue)).sentence()
        return isStopping ? "stopping; \(sentence)" : sentence
    }

    /// The most that stopping everything may take: one worker after another, each by the whole of its stop plan.
    var longestStop: Duration {
        driver.status.workers.reduce(.zero) { $0 + (driver.tree.specification(of: $1.id)?.stopPlan.longest ?? .zero) }
    }
}
