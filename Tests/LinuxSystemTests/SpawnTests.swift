import Glibc
import MonotonicTime
import TestSupport
import Testing

@testable import LinuxSystem

@Suite(.serialized, .timeLimit(.minutes(1)))
struct SpawnTests {
    /// Runs a shell script to its end.
    static func run(
        _ script: String, _ change: (inout SpawnRequest) throws -> Void = { _ in }
    ) throws -> (output: String, outcome: ExecOutcome, exit: ProcessExit) {
        let loop = try EventLoop()
        let (readEnd, writeEnd) = try SystemCall.makePipe().shared()
        let number = try #require(writeEnd.rawValue)
        var request = SpawnRequest(
            executable: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin"])
        request.output = .descriptors(output: number, error: number)
        try change(&request)
        let child = try ChildProcess.spawn(request)
        writeEnd.close()
        var outcome: ExecOutcome?
        if let descriptor = child.execDescriptor {
            var registration: EventLoop.Registration?
            registration = try loop.register(descriptor, .readable) { _ in
                if let registration { loop.unregister(registration) }
                outcome = child.takeExecOutcome()
            }
        }
        var exit: ProcessExit?
        let exitRegistration = try loop.register(child.exitDescriptor, .readable) { _ in
            exit = child.exit(keepingZombie: false)
        }
        try loop.pump("the outcome and the end") { outcome != nil && exit != nil }
        loop.unregister(exitRegistration)
        var buffer = [UInt8](repeating: 0, count: 65536)
        let end = try #require(readEnd.rawValue)
        let count = try buffer.withUnsafeMutableBytes { buffer throws(SystemError) in
            try SystemCall.read(end, into: buffer)
        }.value
        return (
            String(decoding: buffer.prefix(count ?? 0), as: UTF8.self), try #require(outcome), try #require(exit)
        )
    }

    static func ownSignalMask() throws -> Substring? {
        let status = try SystemCall.readFile("/proc/thread-self/status", limit: 8192)
        return String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("SigBlk:") }
    }

    struct Failure: Sendable, CustomTestStringConvertible {
        var step: String
        var errno: Int32
        var change: @Sendable (inout SpawnRequest) -> Void
        var testDescription: String { "\(step), error \(errno)" }
    }

    @Test(arguments: [
        Failure(step: "exec", errno: ENOENT) { $0.executable = "/no/such/program" },
        Failure(step: "exec", errno: EACCES) { $0.executable = "/tmp" },
        Failure(step: "exec", errno: EACCES) { $0.executable = "/etc/passwd" },
        Failure(step: "exec", errno: ENOENT) {
            $0.executable = SpawnRequest.resolve("no-such-program", path: "/usr/bin:/bin")
        },
        Failure(step: "chdir", errno: ENOENT) { $0.workingDirectory = "/no/such/directory" },
        Failure(step: "chdir", errno: ENOTDIR) { $0.workingDirectory = "/etc/passwd" },
        Failure(step: "open output", errno: ENOENT) { $0.output = .fifo(path: "/no/such/fifo") },
        Failure(step: "setrlimit", errno: EINVAL) {
            $0.limits = [SpawnRequest.Limit(resource: Int32(RLIMIT_CPU.rawValue), soft: 2, hard: 1)]
        },
        Failure(step: "oom_score_adj", errno: EINVAL) { $0.oomScoreAdjustment = 5000 },
        Failure(step: "setgroups", errno: EINVAL) {
            $0.identity = SpawnRequest.Identity(uid: 65534, gid: 65534, supplementaryGroups: [.max])
        },
    ])
    func aFailedStepIsReportedWithItsError(failure: Failure) throws {
        if failure.step == "setgroups" && getuid() != 0 { return }
        let (_, outcome, exit) = try Self.run("true", failure.change)
        #expect(outcome == .failed(step: failure.step, errno: failure.errno))
        #expect(exit == .exited(code: 127))
    }

    @Test(arguments: [("clone3", EAGAIN), ("clone3", ENOSYS), ("clone3", ENOMEM), ("pipe2", EMFILE)])
    func whatTheKernelRefusesLeavesNothingBehind(call: String, code: Int32) async {
        await #expect(processExitsWith: .success) { [call = call as String, code = code as Int32] in
            let before = try SystemCall.names(inDirectory: "/proc/self/fd").count
            for _ in 0..<20 {
                FaultInjection.during(call, errno: code) {
                    let error = #expect(throws: SystemError.self) { try SpawnTests.run("true") }
                    #expect(error?.call == call)
                    #expect(error?.errno == code)
                }
            }
            // The test library opens and closes one or two beside us.
            #expect(try SystemCall.names(inDirectory: "/proc/self/fd").count < before + 5)
            #expect(ProcessFamily.children(of: getpid()).isEmpty)
        }
    }

    @Test func aProcessThatWithholdsItsMemoryStartsOthersAllTheSame() async {
        await #expect(processExitsWith: .success) {
            try SystemCall.withholdMemoryFromChildren()
            for round in 0..<10 {
                // The heap grows, and parts of it go back.
                let ballast = (0..<round * 1000).map { [UInt8](repeating: UInt8($0 % 256), count: 100) }
                let (output, outcome, exit) = try SpawnTests.run("echo $WORD; exit 3") { request in
                    request.environment += ["WORD=hello", "OTHER=\(String(repeating: "x", count: 100_000))"]
                    request.oomScoreAdjustment = 500
                    request.limits = [SpawnRequest.Limit(resource: Int32(RLIMIT_CORE.rawValue), soft: 0, hard: 0)]
                }
                #expect(output == "hello\n")
                #expect(outcome == .executed)
                #expect(exit == .exited(code: 3))
                let (_, refused, _) = try SpawnTests.run("true") { $0.workingDirectory = "/no/such/folder" }
                #expect(refused == .failed(step: "chdir", errno: ENOENT))
                #expect(ballast.count == round * 1000)
            }
        }
    }

    @Test func aHeapThatShrankAndGrewAgainIsWithheldToo() async {
        await #expect(processExitsWith: .success) {
            try SystemCall.withholdMemoryFromChildren()
            // As the allocator does it, with nothing started between the two.
            let megabyte = 1 << 20
            sbrk(megabyte)
            _ = try SpawnTests.run("true")
            sbrk(-megabyte)
            sbrk(2 * megabyte)
            _ = try SpawnTests.run("true")
            let smaps = String(decoding: try SystemCall.readFile("/proc/self/smaps", limit: 1 << 22), as: UTF8.self)
            var isHeap = false
            var flags: [Substring] = []
            for line in smaps.split(separator: "\n") {
                if line.contains(" kB") == false, line.contains("-") { isHeap = line.hasSuffix("[heap]") }
                if isHeap, line.hasPrefix("VmFlags:") { flags.append(line) }
            }
            #expect(!flags.isEmpty)
            // "dc": not copied by a fork.
            #expect(flags.allSatisfy { $0.contains(" dc") }, "\(flags)")
        }
    }

    @Test func aChildKeepsItsRequestWhenTheMemoryIsUsedForTheNext() throws {
        let memory = SpawnMemory()
        let (readEnd, writeEnd) = try SystemCall.makePipe().shared()
        let number = try #require(writeEnd.rawValue)
        let children = try (0..<5).map { index in
            var request = SpawnRequest(executable: "/bin/echo", arguments: ["echo", "-n", "\(index)"])
            request.environment = ["PADDING=\(String(repeating: "x", count: index * 5000))"]
            request.output = .descriptors(output: number, error: number)
            return try ChildProcess.spawn(request, held: true, in: memory)
        }
        for child in children {
            #expect(child.letGo())
            try #require(try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: .seconds(10)))
            #expect(child.exit(keepingZombie: false) == .exited(code: 0))
        }
        writeEnd.close()
        let end = try #require(readEnd.rawValue)
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = try buffer.withUnsafeMutableBytes { buffer throws(SystemError) in
            try SystemCall.read(end, into: buffer)
        }.value
        #expect(String(decoding: buffer.prefix(count ?? 0), as: UTF8.self) == "01234")
    }

    @Test func theStartTimeIsTheOneThatTheKernelTells() throws {
        for _ in 0..<50 {
            let child = try ChildProcess.spawn(SpawnRequest(executable: "/bin/true", arguments: ["true"]))
            #expect(child.startTime == ProcessStatus(of: child.pid)?.startTime)
            try #require(try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: .seconds(10)))
            #expect(child.exit(keepingZombie: false) == .exited(code: 0))
        }
    }

    @Test func aRequestThatContradictsItselfIsRefused() {
        for targets in [[0], [2], [3, 3], [-1], [5000]] as [[Int32]] {
            let error = #expect(throws: SystemError.self) {
                try Self.run("true") { $0.inherited = targets.map { (source: 0, target: $0) } }
            }
            #expect(error?.errno == EINVAL)
        }
        #expect(throws: SystemError.self) { try Self.run("true") { $0.arguments = [] } }
    }

    @Test func neitherSideLeaksDescriptors() async {
        await #expect(processExitsWith: .success) {
            // Left open across exec by a library that forgot.
            let leaks = [(100, 0), (101, 1), (900, 2)].map { dup2($0.1, Int32($0.0)) }
            #expect(leaks == [100, 101, 900])
            let (_, _, _) = try SpawnTests.run("true")
            let before = try SystemCall.names(inDirectory: "/proc/self/fd").count
            for round in 0..<20 {
                let (output, _, _) = try SpawnTests.run("exec ls /proc/self/fd") { request in
                    if round % 3 == 0 { request.executable = "/no/such/program" }
                    if round % 3 == 1 { request.inherited = [(source: 100, target: 7), (source: 101, target: 100)] }
                }
                // One is the directory that ls reads.
                if round % 3 == 1 { #expect(output == "0\n1\n100\n2\n3\n7\n") }
                if round % 3 == 2 { #expect(output == "0\n1\n2\n3\n") }
            }
            #expect(try SystemCall.names(inDirectory: "/proc/self/fd").count < before + 5)
        }
    }

    @Test func closedStandardDescriptorsOfTheParentDoNotConfuseTheChild() async {
        await #expect(processExitsWith: .success) {
            let (readEnd, writeEnd) = try SystemCall.makePipe().shared()
            close(0)
            // Low numbers are free for what the spawn opens now.
            var request = SpawnRequest(
                executable: "/bin/sh", arguments: ["sh", "-c", "readlink /proc/self/fd/0; ls /proc/self/fd"])
            request.environment = ["PATH=/usr/bin:/bin"]
            let number = try #require(writeEnd.rawValue)
            request.output = .descriptors(output: number, error: number)
            let child = try ChildProcess.spawn(request)
            try #require(try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: .seconds(10)))
            var buffer = [UInt8](repeating: 0, count: 4096)
            let end = try #require(readEnd.rawValue)
            let count = try buffer.withUnsafeMutableBytes { buffer throws(SystemError) in
                try SystemCall.read(end, into: buffer)
            }.value
            #expect(String(decoding: buffer.prefix(count ?? 0), as: UTF8.self) == "/dev/null\n0\n1\n2\n3\n")
            _ = child.exit(keepingZombie: false)
        }
    }

    @Test func theChildHasNoneOfOurSignalSettings() async {
        await #expect(processExitsWith: .success) {
            SignalSource.ignoreBrokenPipes()
            signal(SIGHUP, SIG_IGN)
            signal(40, SIG_IGN)
            let loop = try EventLoop()
            let source = try SignalSource(loop: loop, signals: [SIGTERM, SIGCHLD]) { _ in }
            let before = try SpawnTests.ownSignalMask()
            let (status, _, _) = try SpawnTests.run("exec cat /proc/self/status")
            for set in ["SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd"] {
                #expect(status.contains("\(set):\t0000000000000000"), "\(set)")
            }
            // And ours are what they were.
            #expect(try SpawnTests.ownSignalMask() == before)
            withExtendedLifetime(source) {}
        }
    }

    @Test func aRootWorkerInheritsNoCapabilityAndAUserHasNone() throws {
        try #require(getuid() == 0, "needs root to change the user")
        let root = try Self.run("exec cat /proc/self/status").output
        #expect(root.contains("CapInh:\t0000000000000000"))
        #expect(root.contains("CapAmb:\t0000000000000000"))
        let user = try Self.run("exec cat /proc/self/status") {
            $0.identity = SpawnRequest.Identity(uid: 65534, gid: 65533, supplementaryGroups: [7])
        }.output
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] { #expect(user.contains("\(set):\t0000000000000000")) }
        #expect(user.contains("Uid:\t65534\t65534\t65534\t65534"))
        #expect(user.contains("Gid:\t65533\t65533\t65533\t65533"))
        #expect(user.contains("Groups:\t7 \n"))
        #expect(user.contains("NoNewPrivs:\t0"))
    }

    @Test func settingsOfTheProcessAreAsRequested() throws {
        let script = "cat /proc/self/oom_score_adj; nice; umask; pwd; echo $0; ulimit -n; ulimit -Hn; env | grep A="
        let (output, _, _) = try Self.run(script) {
            $0.oomScoreAdjustment = 321
            $0.niceness = 5
            $0.fileModeMask = 0o137
            $0.workingDirectory = "/usr/lib"
            $0.arguments.append("own-name")
            $0.limits = [SpawnRequest.Limit(resource: Int32(RLIMIT_NOFILE.rawValue), soft: 50, hard: 60)]
            // Above the limit that the program gets.
            $0.inherited = [(source: 0, target: 70)]
            $0.environment.append("A=b c")
        }
        #expect(output == "321\n5\n0137\n/usr/lib\nown-name\n50\n60\nA=b c\n")
    }

    @Test func theChildLeadsASessionOfItsOwn() throws {
        let (output, _, _) = try Self.run("echo $$; exec cat /proc/self/stat")
        let lines = output.split(separator: "\n", maxSplits: 1)
        let status = try #require(ProcessStatus(parsing: Array(lines[1].utf8)))
        #expect(status.pid == Int32(lines[0]))
        #expect(status.session == status.pid)
        #expect(status.group == status.pid)
        #expect(status.parent == getpid())
    }

    @Test func outputGoesToAFIFOWhoeverReadsIt() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/worker.fifo"
        try FIFO.create(path)
        // Nobody has it open: neither the open nor the write waits, and there is no SIGPIPE.
        let reader = try FIFO.openBothEnds(path)
        let (_, outcome, exit) = try Self.run("echo out; echo err >&2; readlink /proc/self/fd/1") {
            $0.output = .fifo(path: path)
            if getuid() == 0 { $0.identity = SpawnRequest.Identity(uid: 65534, gid: 65534) }
        }
        #expect(outcome == .executed)
        #expect(exit == .exited(code: 0))
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try buffer.withUnsafeMutableBytes { buffer throws(SystemError) in
            try SystemCall.read(reader.rawValue, into: buffer)
        }.value
        #expect(String(decoding: buffer.prefix(count ?? 0), as: UTF8.self) == "out\nerr\n\(path)\n")
    }

    @Test(arguments: [false, true]) func theChildIsInItsCgroupFromItsFirstInstruction(isOldKernel: Bool) throws {
        guard ProcessGroupTests.kinds.contains(.cgroup) else { return }
        let cgroup = try ProcessGroupTests.makeCgroup()
        let run = { () throws -> String in
            try Self.run("grep ^0:: /proc/self/cgroup") {
                $0.cgroup = cgroup.rawValue
                $0.identity = SpawnRequest.Identity(uid: 65534, gid: 65534)
            }.output
        }
        // A kernel before 5.7 answers EINVAL to CLONE_INTO_CGROUP.
        let output = isOldKernel ? try FaultInjection.during("clone3", errno: EINVAL, .times(1), run) : try run()
        #expect(output == "0::\(cgroup.name)\n")
        try cgroup.remove()
    }

    @Test func theStatusOfAZombieThatIsNotOursIsKnown() throws {
        let loop = try EventLoop()
        let (readEnd, writeEnd) = try SystemCall.makePipe().shared()
        let number = try #require(writeEnd.rawValue)
        // A parent that does not wait, and a child that waits for a signal to end by an exit status.
        var request = SpawnRequest(
            executable: "/bin/sh",
            arguments: [
                "sh", "-c", "sh -c 'trap \"exit 42\" TERM; echo $$; while :; do sleep 0.02; done' & exec sleep 1000",
            ],
            environment: ["PATH=/usr/bin:/bin"])
        request.output = .descriptors(output: number, error: -1)
        let parent = try ChildProcess.spawn(request)
        defer {
            try? parent.signal(SIGKILL)
            try? loop.pump("the end") { parent.exit(keepingZombie: false) != nil }
        }
        var buffer = [UInt8](repeating: 0, count: 32)
        let end = try #require(readEnd.rawValue)
        try #require(try SystemCall.wait(for: end, .readable, timeout: .seconds(10)))
        let count = try buffer.withUnsafeMutableBytes { buffer throws(SystemError) in
            try SystemCall.read(end, into: buffer)
        }.value
        let pid = try #require(Int32(String(decoding: buffer.prefix((count ?? 1) - 1), as: UTF8.self)))
        let stranger = try ChildProcess.adopting(pid: pid)
        #expect(stranger.exit(keepingZombie: true) == nil)
        try loop.pump("exec of sleep") { ProcessStatus(of: parent.pid)?.state == "S" }
        try stranger.signal(SIGTERM)
        try loop.pump("its end") { stranger.exit(keepingZombie: true) != nil }
        #expect(ProcessStatus(of: pid)?.isZombie == true)
        #expect(stranger.exit(keepingZombie: true) == .exited(code: 42))
    }

    @Test func aCommandIsSearchedInThePath() throws {
        let directory = try TemporaryDirectory()
        try SystemCall.makeDirectory(directory.path + "/tool")
        #expect(SpawnRequest.resolve("./tool", path: "/bin") == "./tool")
        #expect(SpawnRequest.resolve("sh", path: "/no/such:\(directory.path):/bin") == "/bin/sh")
        #expect(SpawnRequest.resolve("tool", path: "\(directory.path):/bin") == "\(directory.path)/tool")
        #expect(SpawnRequest.resolve("tool", path: "") == "/tool")
    }
}
