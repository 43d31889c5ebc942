import ControlProtocol
import Foundation
import LinuxSystem
import SeededRandom
import TestSupport
import Testing

/// `kill -9` of the daemon, and the next one: the workers notice nothing, and it goes on where the first one was.
@Suite(.timeLimit(.minutes(2))) struct AdoptionTests {
    @Test(arguments: Containment.available)
    func `workers go on with the same process, and are supervised as before`(containment: Containment) throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "steady"
            command = ["WORKER", "steady"]
            ready = "notify"
            watchdog = "5s"
            [[worker]]
            name = "forker"
            command = ["WORKER", "fork-children", "3"]
            ready = "notify"
            [[worker]]
            name = "leaver"
            command = ["WORKER", "double-fork"]
            ready = "notify"
            [[worker]]
            name = "plain"
            command = ["/bin/sleep", "1000"]
            user = "nobody"
            """, containment: containment)
        let names = ["steady", "forker", "leaver", "plain"]
        for name in names { try daemon.await(name, "ready") }
        let before = try daemon.pids(names)
        let everybody = names.flatMap { daemon.processes(of: $0) }.sorted()
        try daemon.replace()
        for name in names { try daemon.await(name, "ready") { $0.restarts == 0 } }
        #expect(try daemon.pids(names) == before)
        #expect(names.flatMap { daemon.processes(of: $0) }.sorted() == everybody)
        #expect(try daemon.takeover().details["alive"] == 4)
        // Their ends are known, though none of them is a child of this daemon.
        for name in names {
            let former = daemon.processes(of: name)
            kill(try #require(before[name]), SIGUSR1)
            let back = try daemon.await(name, "ready") { $0.restarts == 1 }
            #expect(back.lastExit?.signal == "SIGUSR1")
            #expect(Set(daemon.processes(of: name)).isDisjoint(with: former), "something of \(name) is left")
        }
    }

    @Test(arguments: Containment.available)
    func `whom an operator paused stays paused, and whom he stopped stays stopped`(containment: Containment) throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "paused"
            command = ["WORKER", "ping", "50"]
            ready = "notify"
            watchdog = "300ms"
            [[worker]]
            name = "stopped"
            command = ["WORKER", "steady"]
            ready = "notify"
            """, containment: containment)
        try daemon.await("paused", "ready")
        try daemon.await("stopped", "ready")
        let pid = try daemon.pid("paused")
        try daemon.call(.pauseWorker(name: "paused"))
        try daemon.call(.stopWorker(name: "stopped"))
        try daemon.await("stopped", "stopped")
        try daemon.replace()
        // Longer than the watchdog.
        try daemon.pass(.milliseconds(500))
        #expect(try daemon.worker("paused").state == "paused")
        #expect(try daemon.worker("paused").pauseReasons == ["operator"])
        #expect(try daemon.pid("paused") == pid)
        #expect(state(of: pid) == "T" || containment == .cgroup)
        #expect(try daemon.worker("stopped").state == "stopped")
        #expect(daemon.processes(of: "stopped").isEmpty)
        try daemon.call(.resumeWorker(name: "paused"))
        try daemon.await("paused", "ready") { $0.restarts == 0 }
        #expect(try daemon.pid("paused") == pid)
        #expect(state(of: pid) != "T")
        try daemon.call(.startWorker(name: "stopped"))
        try daemon.await("stopped", "ready")
    }

    @Test func `restart counters, waits and parked supervisors are as they were`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "killed"
            command = ["WORKER", "steady"]
            ready = "notify"
            stable_after = "1h"
            [[worker]]
            name = "waiting"
            command = ["/bin/false"]
            backoff_initial = "1h"
            backoff_max = "1h"
            backoff_jitter = 0.0
            [[worker]]
            name = "given-up"
            command = ["/bin/false"]
            max_attempts = 1
            retry_after_giving_up = "1h"
            [[supervisor]]
            name = "group"
            max_restarts = 1
            within = "1h"
            retry_after = "1h"
            [[worker]]
            name = "parked"
            supervisor = "group"
            command = ["/bin/false"]
            backoff_initial = "1ms"
            """)
        try daemon.await("killed", "ready")
        for restarts in 1...2 {
            kill(try daemon.pid("killed"), SIGKILL)
            try daemon.await("killed", "ready") { $0.restarts == restarts }
        }
        try daemon.await("waiting", "backing-off")
        try daemon.await("given-up", "failed")
        try daemon.event { $0.kind == "intensity-exceeded" }
        try daemon.await("parked", "waiting")
        let before = try daemon.status()
        try daemon.replace()
        let after = try daemon.status()
        for (was, now) in zip(before.workers, after.workers) where was.name != "holdfast-output" {
            #expect(now.name == was.name)
            #expect(now.state == was.state, "\(was.name)")
            #expect(now.restarts == was.restarts, "\(was.name)")
            #expect(now.attemptsLeft == was.attemptsLeft, "\(was.name)")
            #expect(now.lastExit == was.lastExit, "\(was.name)")
            #expect(now.heldFor == was.heldFor, "\(was.name)")
            // The same instant, seen a little later.
            #expect((was.nextAttempt == nil) == (now.nextAttempt == nil), "\(was.name)")
            if let then = was.nextAttempt, let soon = now.nextAttempt {
                #expect(soon <= then && soon > then - 60, "\(was.name): \(then), \(soon)")
            }
            // Nobody saw how well it ran meanwhile: a stable run begins anew.
            #expect((was.failuresForgotten == nil) == (now.failuresForgotten == nil), "\(was.name)")
        }
        let parked = try #require(after.supervisors.first { $0.name == "group" })
        #expect(parked.state == "parked")
        #expect(parked.state == before.supervisors.first { $0.name == "group" }?.state)
        // The counters are not only shown: the third failure in a row waits longer than the second did.
        kill(try daemon.pid("killed"), SIGKILL)
        try daemon.await("killed", "ready") { $0.restarts == 3 }
        #expect(try daemon.incidents("killed").first?.action == "restart-after")
    }

    @Test func `the declared main process is the one that is watched`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "mainpid"]
            ready = "notify"
            """)
        let main = Int32(try #require(try daemon.await("a", "ready").pid))
        try daemon.replace()
        #expect(try daemon.pid("a") == main)
        #expect(try daemon.worker("a").restarts == 0)
        kill(main, SIGKILL)
        let next = Int32(try #require(try daemon.await("a", "ready") { $0.restarts == 1 }.pid))
        try daemon.replace { try daemon.end(next) }
        try daemon.await("a", "ready") { $0.restarts == 2 }
        #expect(daemon.processes(of: "a").count == 1)
    }

    @Test func `a daemon that is killed again at once, twenty times in a row, leaves the workers alone`() throws {
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["WORKER", "steady"]
            ready = "notify"
            watchdog = "10s"
            [[worker]]
            name = "b"
            command = ["WORKER", "fork-children", "2"]
            ready = "notify"
            """)
        for name in ["a", "b"] { try daemon.await(name, "ready") }
        let before = try daemon.pids(["a", "b"])
        var generator = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0...999_999, using: &generator)
        var chance = SeededGenerator(seed: seed)
        for _ in 1...20 {
            try daemon.crash()
            try daemon.startAgain(isAwaited: false)
            // Anywhere between its first instruction and its first turn.
            _ = try daemon.process.wait(within: .microseconds(Int.random(in: 0...60_000, using: &chance)))
        }
        try daemon.replace()
        for name in ["a", "b"] { try daemon.await(name, "ready") { $0.restarts == 0 } }
        #expect(try daemon.pids(["a", "b"]) == before, "seed \(seed)")
        #expect(daemon.processes(of: "b").count == 3)
        try daemon.await("holdfast-output", "ready")
        #expect(daemon.processes(of: "holdfast-output").count == 1)
    }
}
