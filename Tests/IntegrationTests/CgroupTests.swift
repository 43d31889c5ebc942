import ControlProtocol
import Foundation
import Testing

/// Workers in control groups, where the machine and the user's rights allow it.
@Suite(.timeLimit(.minutes(3)), .enabled(if: Containment.available.contains(.cgroup))) struct CgroupTests {
    private func cgroup(of pid: Int32) throws -> String {
        let text = try String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("0::") })
        return String(try #require(line.split(separator: "/").last))
    }

    @Test func `each process of a worker is in a cgroup of its own, which goes with it`() throws {
        let daemon = try Daemon(
            ["a", "b"].map { "[[worker]]\nname = \"\($0)\"\ncommand = [\"WORKER\", \"steady\"]\nready = \"notify\"" }
                .joined(separator: "\n"), containment: .cgroup)
        #expect(try !daemon.status().runtime.warnings.contains { $0.contains("cgroup") })
        for name in ["a", "b"] { try daemon.await(name, "ready") }
        let first = try cgroup(of: try daemon.pid("a"))
        #expect(try first != cgroup(of: try daemon.pid("b")))
        kill(try daemon.pid("a"), SIGKILL)
        try daemon.await("a", "ready") { $0.restarts == 1 }
        let children = try FileManager.default.contentsOfDirectory(atPath: try #require(daemon.cgroup))
        #expect(!children.contains(first))
        #expect(try children.contains(cgroup(of: try daemon.pid("a"))))
    }
}

/// Limits by cgroup, whatever this machine has for them.
@Suite(.timeLimit(.minutes(1))) struct LimitTests {
    @Test(arguments: Containment.available)
    func `a limit is kept, or said not to be`(containment: Containment) throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "steady"]
            ready = "notify"
            [worker.limits]
            memory_max = "512M"
            cpu_max = 150
            pids_max = 100
            """, containment: containment)
        let pid = try daemon.await("a", "ready").pid ?? 0
        let warnings = try daemon.status().runtime.warnings.filter { $0.contains("is not enforced") }
        let files = ["memory": "memory.max", "cpu": "cpu.max", "pids": "pids.max"]
        let keys = ["memory": "memory_max", "cpu": "cpu_max", "pids": "pids_max"]
        let expected = ["memory": "536870912", "cpu": "150000 100000", "pids": "100"]
        let name =
            try String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8).split(separator: "\n")
            .first { $0.hasPrefix("0::") }?.split(separator: "/").last ?? ""
        for (controller, key) in keys {
            let isSaid = warnings.contains { $0.hasPrefix("worker a: \(key) is not enforced: ") }
            let value = daemon.cgroup.flatMap {
                try? String(contentsOfFile: "\($0)/\(name)/\(files[controller] ?? "")", encoding: .utf8)
            }
            #expect(isSaid != (value?.trimmingCharacters(in: .newlines) == expected[controller]))
        }
    }
}
