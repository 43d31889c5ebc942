import ControlProtocol
import Testing

/// Work that is shed and restored again and again, by the real kernel.
@Suite(.timeLimit(.minutes(5))) struct PauseCycleTests {
    private static let workers = 10
    private static let rounds = 1000
    /// In so many rounds the pause is longer than the watchdog.
    private static let roundsOfLongPauses = 200

    @Test func `ten thousand pauses of workers with a watchdog of a second kill none of them`() throws {
        let names = (0..<Self.workers).map { "w\($0)" }
        let pinging = names.map { name in
            """
            [[worker]]
            name = "\(name)"
            command = ["WORKER", "ping", "200"]
            ready = "notify"
            watchdog = "1s"
            """
        }
        let daemon = try Daemon(
            (pinging + [
                """
                [[supervisor]]
                name = "clocks"
                max_restarts = 1000
                [[worker]]
                name = "clock"
                supervisor = "clocks"
                command = ["/bin/sleep", "1.5"]
                backoff_initial = "1ms"
                backoff_max = "1ms"
                """
            ]).joined(separator: "\n"))
        for name in names { try daemon.await(name, "ready") }
        let pids = try names.map { try daemon.pid($0) }
        let connection = try VarlinkConnection(to: daemon.socket)
        for round in 1...Self.rounds {
            for name in names { _ = try connection.call(RuntimeMethod.pauseWorker(name: name).call) }
            if round % Self.roundsOfLongPauses == 0 {
                for name in names { #expect(try daemon.worker(name).state == "paused") }
                let beats = try daemon.worker("clock").restarts
                try daemon.await("clock", "ready") { $0.restarts > beats + 1 }
            }
            for name in names { _ = try connection.call(RuntimeMethod.resumeWorker(name: name).call) }
        }
        // Whoever was to be judged would be by now.
        let beats = try daemon.worker("clock").restarts
        try daemon.await("clock", "ready") { $0.restarts > beats + 1 }
        #expect(try names.map { try daemon.pid($0) } == pids)
        for name in names {
            #expect(try daemon.incidents(name).isEmpty)
            #expect(try daemon.worker(name).state == "ready")
        }
    }
}
