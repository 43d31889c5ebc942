import Foundation
import LinuxSystem
import MonotonicTime
import Testing

@Suite(.timeLimit(.minutes(1))) struct ChildProcessTests {
    /// Runs a command to its end; its output, and how it ended.
    static func run(
        _ command: [String], _ change: (inout SpawnRequest) -> Void = { _ in }
    ) throws -> (output: String, outcome: ExecOutcome, exit: ProcessExit) {
        let file = FileManager.default.temporaryDirectory.appending(path: "child-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: file.path, contents: nil)
        defer { try? FileManager.default.removeItem(at: file) }
        let writer = try FileHandle(forWritingTo: file)
        var request = SpawnRequest(executable: command[0], arguments: command, environment: ["PATH=/usr/bin:/bin"])
        request.output = .descriptors(output: writer.fileDescriptor, error: writer.fileDescriptor)
        change(&request)
        let child = try ChildProcess.spawn(request)
        let outcome = try awaitExec(of: child)
        let exit = try awaitExit(of: child)
        return (try String(contentsOf: file, encoding: .utf8), outcome, exit)
    }

    static func awaitExec(of child: ChildProcess) throws -> ExecOutcome {
        while true {
            if let outcome = child.takeExecOutcome() { return outcome }
            let descriptor = try #require(child.execDescriptor)
            try #require(try SystemCall.wait(for: descriptor, .readable, timeout: .seconds(10)))
        }
    }

    static func awaitExit(of child: ChildProcess) throws -> ProcessExit {
        try #require(try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: .seconds(10)))
        return try #require(child.exit(keepingZombie: false))
    }

    @Test func `a program runs in its own session with nothing inherited but what it was given`() throws {
        let leak = try SystemCall.makePipe()
        try SystemCall.setCloseOnExec(leak.writeEnd.rawValue, false)
        let (output, outcome, exit) = try Self.run([
            "/bin/sh", "-c", "ls /proc/self/fd; ps -o sid= -p $$; echo $$; env",
        ])
        #expect(outcome == .executed)
        #expect(exit == .exited(code: 0))
        let lines = output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        // The fourth is the folder that ls itself reads.
        #expect(Array(lines.prefix(4)) == ["0", "1", "2", "3"])
        #expect(lines[4] == lines[5], "the session is its own")
        #expect(lines.contains("PATH=/usr/bin:/bin"))
        #expect(!lines.contains { $0.hasPrefix("HOME=") })
    }

    @Test func `a child that is held has executed nothing, and a zombie still tells that it has`() throws {
        let request = SpawnRequest(executable: "/bin/true", arguments: ["true"])
        let child = try ChildProcess.spawn(request, held: true)
        #expect(child.hasExecuted == false)
        #expect(child.letGo())
        try #require(try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: .seconds(10)))
        #expect(child.hasExecuted == true)
        _ = child.exit(keepingZombie: false)
        #expect(child.hasExecuted == nil)
    }

    @Test func `inherited descriptors come at the numbers that were asked for, however they collide`() throws {
        let first = try SystemCall.makePipe()
        let second = try SystemCall.makePipe()
        let sources = [first.writeEnd.rawValue, second.writeEnd.rawValue]
        let (_, _, exit) = try Self.run(["/bin/sh", "-c", "echo a >&3; echo b >&4"]) {
            $0.inherited = [(source: sources[1], target: 3), (source: sources[0], target: 4)]
        }
        #expect(exit == .exited(code: 0))
        for (reader, expected) in [(second.readEnd.rawValue, "a\n"), (first.readEnd.rawValue, "b\n")] {
            var buffer = [UInt8](repeating: 0, count: 8)
            let count = try buffer.withUnsafeMutableBytes { try SystemCall.read(reader, into: $0) }.value
            #expect(String(decoding: buffer[..<(count ?? 0)], as: UTF8.self) == expected)
        }
    }

    @Test(arguments: ["exec", "chdir", "open output"])
    func `the step that failed is reported with its error`(step: String) throws {
        let (_, outcome, exit) = try Self.run(["/bin/true"]) { request in
            switch step {
            case "exec": request.executable = "/nonexistent"
            case "chdir": request.workingDirectory = "/nonexistent"
            default: request.output = .fifo(path: "/nonexistent")
            }
        }
        #expect(outcome == .failed(step: step, errno: ENOENT))
        #expect(exit == .exited(code: 127))
    }

    @Test func `user, groups, limits, mask and capabilities are as asked`() throws {
        try #require(getuid() == 0, "needs root to change the user")
        let (output, _, _) = try Self.run([
            "/bin/sh", "-c", "id -u; id -G; umask; ulimit -n; grep -E 'Cap|NoNew|Sig' /proc/self/status",
        ]) {
            $0.identity = SpawnRequest.Identity(uid: 65534, gid: 65534, supplementaryGroups: [100, 101])
            $0.fileModeMask = 0o027
            $0.limits = [SpawnRequest.Limit(resource: Int32(RLIMIT_NOFILE.rawValue), soft: 123, hard: 456)]
            $0.confinement.forbidsNewPrivileges = true
        }
        let lines = output.split(separator: "\n").map(String.init)
        #expect(Array(lines.prefix(4)) == ["65534", "65534 100 101", "0027", "123"])
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb", "SigBlk", "SigIgn"] {
            #expect(lines.contains("\(set):\t0000000000000000"), "\(set) in \(lines)")
        }
        #expect(lines.contains("NoNewPrivs:\t1"))
    }

    @Test func `a zombie that is kept can still be asked, and is gone after being reaped`() throws {
        let child = try ChildProcess.spawn(SpawnRequest(executable: "/bin/sh", arguments: ["sh", "-c", "exit 7"]))
        try #require(try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: .seconds(10)))
        #expect(child.exit(keepingZombie: true) == .exited(code: 7))
        #expect(child.exit(keepingZombie: false) == .exited(code: 7))
        #expect(kill(child.pid, 0) == -1)
        try child.signal(SignalNumber.kill)
    }

    @Test func `the exit of a process that is not our child is known where the kernel tells it`() throws {
        let pipe = try SystemCall.makePipe()
        var request = SpawnRequest(
            executable: "/bin/sh", arguments: ["sh", "-c", "sleep 60 & echo $!; exec sleep 60"],
            environment: ["PATH=/usr/bin:/bin"])
        request.output = .descriptors(output: pipe.writeEnd.rawValue, error: pipe.writeEnd.rawValue)
        let parent = try ChildProcess.spawn(request)
        try #require(try SystemCall.wait(for: pipe.readEnd.rawValue, .readable, timeout: .seconds(10)))
        var buffer = [UInt8](repeating: 0, count: 32)
        let count =
            try buffer.withUnsafeMutableBytes { try SystemCall.read(pipe.readEnd.rawValue, into: $0) }.value ?? 0
        let text = String(decoding: buffer[..<count], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        let stranger = try ChildProcess.adopting(pid: try #require(Int32(text)))
        #expect(stranger.exit(keepingZombie: false) == nil)
        try stranger.signal(SignalNumber.terminate)
        try #require(try SystemCall.wait(for: stranger.exitDescriptor, .readable, timeout: .seconds(10)))
        let exit = stranger.exit(keepingZombie: false)
        #expect([.signaled(signal: SIGTERM, coreDumped: false), .unknown].contains(exit))
        try parent.signal(SignalNumber.kill)
        _ = try Self.awaitExit(of: parent)
    }
}
