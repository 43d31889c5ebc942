import ControlProtocol
import Foundation
import LinuxSystem
import Testing

/// With a service manager that keeps descriptors nothing is lost that happened while there was no daemon.
@Suite(.timeLimit(.minutes(2))) struct StoredDescriptorTests {
    /// The number of the worker's instance, by what its process carries.
    private func instance(_ pid: Int32) throws -> String {
        let environment = try String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8)
        let mark = environment.split(separator: "\0").first { $0.hasPrefix("HOLDFAST_INSTANCE=") }
        return String(try #require(mark?.split(separator: "-").last))
    }

    /// Kills the daemon, and starts the next one with what the manager has.
    private func replace(_ daemon: Daemon, _ manager: ServiceManager, meanwhile: () throws -> Void) throws {
        try daemon.crash()
        try manager.listen { true }
        try meanwhile()
        try daemon.startAgain(stored: manager.stored)
    }

    @Test func `each process, notify socket and output is stored, and removed with it`() throws {
        let manager = try ServiceManager()
        let daemon = try Daemon(ControlTests.steady, environment: manager.environment)
        try daemon.await("a", "ready")
        let first = "process-\(try instance(try daemon.pid("a")))"
        try manager.listen { manager.names.isSuperset(of: [first, "notify-a", "output-a"]) }
        #expect(manager.heard.contains("READY=1"))
        kill(try daemon.pid("a"), SIGKILL)
        try daemon.await("a", "ready") { $0.restarts == 1 }
        let second = "process-\(try instance(try daemon.pid("a")))"
        try manager.listen { manager.names.contains(second) && !manager.names.contains(first) }
        try daemon.configure("")
        try daemon.call(.reload)
        try manager.listen { manager.names.allSatisfy { !$0.hasSuffix("-a") && $0 != second } }
    }

    @Test func `a worker that said it is ready meanwhile is ready`() throws {
        let manager = try ServiceManager()
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["/bin/sh", "-c", "trap 'exec WORKER steady' USR1; while :; do sleep 0.1; done"]
            ready = "notify"
            watchdog = "30s"
            """, environment: manager.environment)
        try daemon.await("a", "running")
        let pid = try daemon.pid("a")
        try manager.listen { manager["notify-a"] != nil }
        try replace(daemon, manager) {
            kill(pid, SIGUSR1)
            let socket = try #require(manager["notify-a"]?.rawValue)
            try #require(try SystemCall.wait(for: socket, .readable, timeout: .seconds(20)))
        }
        try daemon.await("a", "ready") { $0.restarts == 0 }
        #expect(try daemon.pid("a") == pid)
        #expect(try daemon.worker("a").statusText == "all is well")
    }

    @Test func `a worker that is connected to its notify socket need not connect again`() throws {
        let manager = try ServiceManager()
        let program = """
            import os, socket, time
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.connect(os.environ['NOTIFY_SOCKET'])
            s.send(b'READY=1')
            while True:
                time.sleep(0.1)
                s.send(b'WATCHDOG=1')
            """
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["/usr/bin/python3", "-c", \"\"\"\(program)\"\"\"]
            ready = "notify"
            watchdog = "600ms"
            """, environment: manager.environment)
        try daemon.await("a", "ready")
        let pid = try daemon.pid("a")
        try manager.listen { manager["notify-a"] != nil }
        for _ in 1...3 { try replace(daemon, manager) {} }
        try daemon.pass(.milliseconds(1200))
        #expect(try daemon.worker("a").restarts == 0)
        #expect(try daemon.pid("a") == pid)
        // Its end is known as that of a stranger's child is, without anybody's help.
        kill(pid, SIGKILL)
        try daemon.await("a", "ready") { $0.restarts == 1 && $0.lastExit?.signal == "SIGKILL" }
    }

    @Test func `how a worker ended meanwhile is known, and its last words are there`() throws {
        let manager = try ServiceManager()
        let daemon = try Daemon(
            """
            [[worker]]
            name = "a"
            command = ["/bin/sh", "-c", "trap 'echo last words; exit 7' USR1; while :; do sleep 0.1; done"]
            """, environment: manager.environment)
        try daemon.await("a", "ready")
        try daemon.await("holdfast-output", "ready")
        let pid = try daemon.pid("a")
        let process = "process-\(try instance(pid))"
        try manager.listen { manager.names.isSuperset(of: [process, "output-a"]) }
        try replace(daemon, manager) { try daemon.end(pid, by: SIGUSR1) }
        let back = try daemon.await("a", "ready") { $0.restarts == 1 }
        // Before Linux 6.15 the kernel tells nobody but the parent.
        #expect(back.lastExit?.code == 7 || back.lastExit?.cause == "unknown")
        try daemon.await("holdfast-output", "ready")
        let connection = try daemon.connect()
        try connection.send(MessageFramer.frame(RuntimeMethod.logs(worker: "a", lines: 10, follow: true).call.json))
        #expect(try LogsReply(json: try connection.receive().parameters.json).line?.line == "last words")
    }

    @Test func `without its pidfd a process is found by its record`() throws {
        let manager = try ServiceManager()
        let daemon = try Daemon(ControlTests.steady, environment: manager.environment)
        try daemon.await("a", "ready")
        let pid = try daemon.pid("a")
        let process = "process-\(try instance(pid))"
        try manager.listen { manager.names.contains(process) }
        try replace(daemon, manager) { manager.drop(process) }
        #expect(try daemon.pid("a") == pid)
        #expect(try daemon.worker("a").restarts == 0)
        // And it is stored again.
        try manager.listen { manager.names.contains(process) }
    }

    @Test func `a descriptor under the wrong name makes no stranger a worker`() throws {
        let manager = try ServiceManager()
        let daemon = try Daemon(ControlTests.steady, environment: manager.environment)
        try daemon.await("a", "ready")
        let pid = try daemon.pid("a")
        let process = "process-\(try instance(pid))"
        try manager.listen { manager.names.contains(process) }
        let stranger = try ChildProcess.spawn(SpawnRequest(executable: "/bin/sleep", arguments: ["sleep", "1000"]))
        // Reaped as well: a zombie among our children keeps exit tests from seeing the end of theirs.
        defer {
            try? stranger.signal(SIGKILL)
            _ = try? SystemCall.wait(for: stranger.exitDescriptor, .readable, timeout: .seconds(20))
            _ = stranger.exit(keepingZombie: false)
        }
        try daemon.crash()
        try manager.listen { true }
        manager.drop(process)
        let pidfd = SharedDescriptor(try SystemCall.duplicate(stranger.exitDescriptor))
        try daemon.startAgain(stored: manager.stored + [(name: process, descriptor: pidfd)])
        #expect(try daemon.pid("a") == pid)
        kill(pid, SIGKILL)
        try daemon.await("a", "ready") { $0.restarts == 1 }
        daemon.stop()
        #expect(stranger.exit(keepingZombie: true) == nil)
    }

    @Test func `what is stored of those that are gone is given back`() throws {
        let manager = try ServiceManager()
        let daemon = try Daemon(ControlTests.steady, environment: manager.environment)
        try daemon.await("a", "ready")
        try manager.listen { manager.names.isSuperset(of: ["notify-a", "output-a"]) }
        // With its record lost as well, the next one begins anew.
        try replace(daemon, manager) {
            try FileManager.default.removeItem(at: daemon.directory.appending(path: "run/state"))
        }
        try daemon.await("a", "ready") { $0.restarts == 0 }
        let process = "process-\(try instance(try daemon.pid("a")))"
        try manager.listen { manager.stored.count { $0.name.hasPrefix("process-") } == 2 && manager[process] != nil }
        #expect(manager.stored.count { $0.name == "notify-a" } <= 2)
        let pid = try daemon.pid("a")
        try replace(daemon, manager) {}
        #expect(try daemon.pid("a") == pid)
        #expect(try daemon.worker("a").state == "ready")
        #expect(try daemon.worker("a").restarts == 0)
    }
}
