import Supervision
import Testing

@testable import DeviceConfiguration

/// A worker that sets every key once; each test replaces one line.
private let lines = [
    "supervisor = \"root\"", "command = [\"/bin/a\", \"b\"]", "working_directory = \"/\"",
    "environment = { A = \"1\" }", "user = \"a\"", "group = \"a\"", "supplementary_groups = [\"a\"]",
    "umask = \"0022\"", "nice = 0", "oom_score_adj = 0", "essential = false", "shed_order = 0",
    "autostart = true", "restart = \"always\"", "ready = \"started\"", "start_after = \"previous-started\"",
    "start_timeout = \"30s\"",
    "watchdog = \"10s\"", "watchdog_signal = \"SIGABRT\"", "backoff_initial = \"100ms\"", "backoff_max = \"30s\"",
    "backoff_jitter = 0.2", "stable_after = \"10s\"", "max_attempts = 5", "retry_after_giving_up = \"5m\"",
    "stop_signal = \"SIGTERM\"", "stop_timeout = \"10s\"", "kill_timeout = \"5s\"", "limits = { open_files = 100 }",
    "sandbox = { read_only_paths = [\"/a\", \"/b\"] }", "output = { rate = \"64K\" }",
    "telemetry = \"socket\"", "telemetry_rate = 10",
    "checkpoints = { frame = \"5s\" }", "probe = [{ type = \"tcp\", port = 1 }]",
]

private let launchChanges = [
    "command = [\"/bin/a\", \"c\"]", "command = [\"/bin/a\"]", "command = [\"/bin/ab\"]",
    "command = [\"/bin/a\", \"b\", \"\"]", "working_directory = \"/tmp\"", "environment = { A = \"2\" }",
    "environment = { B = \"1\" }", "environment = {}", "environment = { A = \"1\", B = \"\" }", "user = \"b\"",
    "group = \"b\"", "supplementary_groups = []", "supplementary_groups = [\"a\", \"b\"]", "umask = \"0027\"",
    "nice = 1", "oom_score_adj = 1", "watchdog = \"11s\"", "watchdog = \"off\"", "limits = { open_files = 101 }",
    "limits = { processes = 100 }", "limits = { open_files = \"unlimited\" }", "limits = {}",
    "sandbox = { read_only_paths = [\"/a\"] }", "sandbox = { hidden_paths = [\"/a\", \"/b\"] }",
    "sandbox = { read_only_paths = [\"/a\", \"/b\"], writable_paths = [\"/a/c\"] }",
    "sandbox = { read_only_paths = [\"/a\", \"/b\"], private_tmp = true }",
    "sandbox = { read_only_paths = [\"/a\", \"/b\"], network = false }",
    "sandbox = { read_only_paths = [\"/a\", \"/b\"], no_new_privs = true }", "sandbox = {}",
    "telemetry = \"off\"",
]

private let policyChanges = [
    "essential = true", "shed_order = -2", "autostart = false", "restart = \"never\"", "ready = \"notify\"",
    "start_after = \"previous-ready\"", "start_timeout = \"31s\"", "watchdog_signal = \"SIGKILL\"",
    "backoff_initial = \"101ms\"", "backoff_max = \"31s\"", "backoff_jitter = 0.3", "stable_after = \"11s\"",
    "max_attempts = 6", "retry_after_giving_up = \"6m\"", "stop_signal = \"SIGINT\"", "stop_timeout = \"11s\"",
    "kill_timeout = \"6s\"", "checkpoints = { frame = \"6s\" }", "checkpoints = {}",
    "probe = [{ type = \"tcp\", port = 2 }]", "output = { rate = \"65K\" }",
    "telemetry = \"stdout\"", "telemetry_rate = 11",
    "sandbox = { read_only_paths = [\"/b\", \"/a\"] }",
]

@Suite struct LaunchFingerprintTests {
    private func worker(changing change: String? = nil) throws -> WorkerSpecification {
        let key = change?.prefix { $0 != " " }
        let body = lines.map { line in
            if let change, let key, line.hasPrefix("\(key) ") { change } else { line }
        }
        let text = (["[[worker]]", "name = \"a\""] + body).joined(separator: "\n")
        let report = Configuration.read(text)
        #expect(report.problems.map(\.description) == [])
        guard case .worker(let worker) = try #require(report.configuration).children.first else {
            throw TextMistake(reason: "the first child is the worker")
        }
        return worker
    }

    @Test("what is fixed at launch changes the fingerprint", arguments: launchChanges)
    func launch(change: String) throws {
        #expect(try worker(changing: change).launch != worker().launch)
    }

    @Test("policy leaves the fingerprint, but not the specification or output, as it was", arguments: policyChanges)
    func policy(change: String) throws {
        #expect(try worker(changing: change).launch == worker().launch)
    }

    @Test("every key of a worker is either a matter of launch or of policy")
    func completeness() {
        let changed = Set((launchChanges + policyChanges).map { String($0.prefix { $0 != " " }) })
        // Where it stands in the tree, what it is called, and another way to say stop_signal.
        let others: Set = ["name", "supervisor", "stop_plan"]
        #expect(changed.union(others) == Set(WorkerSchema.table.names))
    }

    @Test("the fingerprint is the same across runs and orders of keys")
    func stability() throws {
        let first = Configuration.read(
            "[[worker]]\nname = \"a\"\ncommand = [\"/x\"]\nenvironment = { A = \"1\", B = \"2\" }")
        let second = Configuration.read(
            "[[worker]]\nenvironment = { B = \"2\", A = \"1\" }\ncommand = [\"/x\"]\nname = \"a\"")
        #expect(first.configuration?.children == second.configuration?.children)
        // Fixed: a new version of Holdfast must not restart every worker by computing another digest.
        #expect(first.configuration?.launches["a"]?.fingerprint.digest == "fd3c1ae557057d51d6733bc6df3a62f2")
    }
}
