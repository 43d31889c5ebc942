import ControlProtocol
import Deployment
import Testing

@testable import ExecutorRuntime

@Suite struct BundleHealthTests {
    private func worker(
        _ name: String, _ state: String, isReady: Bool = false, restarts: Int = 0, reasons: [String] = []
    ) -> WorkerReport {
        WorkerReport(
            name: name, supervisor: "vision", state: state, isReady: isReady, isEssential: false, restarts: restarts,
            pauseReasons: reasons)
    }

    private func status(_ workers: [WorkerReport], supervisor state: String = "up") -> StatusReport {
        func supervisor(_ name: String, _ parent: String?, _ state: String) -> SupervisorReport {
            SupervisorReport(
                name: name, parent: parent, strategy: "one-for-one", maxRestarts: 3, within: 5, restartsInWindow: 0,
                state: state)
        }
        return StatusReport(
            runtime: RuntimeReport(version: "", pid: 1, state: "running", uptime: 0, name: "", warnings: []),
            supervisors: [
                supervisor("root", nil, "up"), supervisor("vision", "root", "up"), supervisor("inner", "vision", state),
                supervisor("others", "root", "parked"),
            ], workers: workers + [worker("stranger", "failed")])
    }

    private func judge(_ workers: [WorkerReport], supervisor: String = "up") -> DeploymentMachine.Health? {
        var health = BundleHealth(BundleContract(bundle: "vision", workers: ["a", "b"], probes: []))
        return health.judge(status(workers, supervisor: supervisor), nil).last
    }

    @Test("all of a bundle's own workers have to be ready") func well() {
        let ready = worker("a", "ready", isReady: true)
        #expect(judge([ready, worker("b", "ready", isReady: true)]) == .well)
        #expect(judge([ready, worker("b", "finished")]) == .well)
        #expect(judge([ready, worker("b", "starting")]) == .incomplete)
        #expect(judge([ready, worker("b", "backing-off")]) == .incomplete)
        #expect(judge([ready, worker("b", "held")]) == .incomplete)
        #expect(judge([ready]) == .incomplete)
    }

    @Test("what is paused, held for the heat, or stopped by an operator is no fault of theirs") func suspended() {
        let ready = worker("a", "ready", isReady: true)
        for other in [
            worker("b", "paused", reasons: ["heat"]), worker("b", "held", reasons: ["memory"]), worker("b", "stopped"),
        ] {
            #expect(judge([ready, other]) == .suspended, "\(other.state)")
        }
    }

    @Test("a worker that has given up, and a supervisor below that is parked, are the end") func failed() {
        let ready = [worker("a", "ready", isReady: true), worker("b", "ready", isReady: true)]
        guard case .failed(let first)? = judge([ready[0], worker("b", "failed")]) else {
            Issue.record("a failed worker is no failure")
            return
        }
        #expect(first.contains("b has failed"))
        guard case .failed(let second)? = judge(ready, supervisor: "parked") else {
            Issue.record("a parked supervisor is no failure")
            return
        }
        #expect(second.contains("inner was parked"))
    }

    @Test("a restart between two looks is a break") func restarts() {
        var health = BundleHealth(BundleContract(bundle: "vision", workers: ["a"], probes: []))
        func look(_ restarts: Int) -> [DeploymentMachine.Health] {
            health.judge(status([worker("a", "ready", isReady: true, restarts: restarts)]), nil)
        }
        #expect(look(7) == [.well])
        #expect(look(7) == [.well])
        #expect(look(8) == [.incomplete, .well])
        #expect(look(8) == [.well])
    }

    @Test("where probes are asked for, each has to have passed; no answer is none") func probes() {
        var health = BundleHealth(BundleContract(bundle: "vision", workers: ["a"], probes: ["a"]))
        let all = status([worker("a", "ready", isReady: true)])
        func use(_ states: [String]) -> [WorkerUseReport] {
            [WorkerUseReport(name: "a", probes: states.map { ProbeReport(name: "p", kind: "tcp", state: $0) })]
        }
        #expect(health.judge(all, nil) == [.incomplete])
        #expect(health.judge(all, use([])) == [.incomplete])
        #expect(health.judge(all, use(["passing", "waiting"])) == [.incomplete])
        #expect(health.judge(all, use(["passing", "passing"])) == [.well])
    }
}
