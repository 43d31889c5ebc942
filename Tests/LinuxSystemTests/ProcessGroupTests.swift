import Glibc
import MonotonicTime
import TestSupport
import Testing

@testable import LinuxSystem

/// The same behaviour with a cgroup and without one.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct ProcessGroupTests {
    enum Kind: String, CaseIterable { case session, cgroup }

    /// A worker with a child in its group and one in a group of its own (as timeout(1) makes), which say so.
    private static let script = """
        sleep 1000 & timeout 1000 sleep 1000 & echo up; wait
        """

    final class Fixture {
        let loop: EventLoop
        let main: ChildProcess
        let group: ProcessGroup
        let output: SharedDescriptor

        init(_ kind: Kind, _ script: String) throws {
            loop = try EventLoop()
            let (readEnd, writeEnd) = try SystemCall.makePipe(nonBlocking: false).shared()
            let cgroup = kind == .cgroup ? try ProcessGroupTests.makeCgroup() : nil
            var request = SpawnRequest(
                executable: "/bin/sh", arguments: ["sh", "-c", script],
                environment: ["PATH=/usr/bin:/bin", "HOLDFAST_INSTANCE=77"])
            let number = try #require(writeEnd.rawValue)
            request.output = .descriptors(output: number, error: number)
            request.cgroup = cgroup?.rawValue
            main = try ChildProcess.spawn(request)
            group = ProcessGroup(leader: main, cgroup: cgroup)
            output = readEnd
        }

        func line() throws -> String {
            let descriptor = try #require(output.rawValue)
            try #require(try SystemCall.wait(for: descriptor, .readable, timeout: .seconds(10)))
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = try buffer.withUnsafeMutableBytes { buffer throws(SystemError) in
                try SystemCall.read(descriptor, into: buffer)
            }.value
            return String(decoding: buffer.prefix(count ?? 0), as: UTF8.self)
        }

        func members() -> [Int32] { [main.pid] + ProcessFamily.descendants(of: main.pid) }

        deinit {
            group.kill()
            try? loop.pump("the end") { main.exit(keepingZombie: false) != nil }
            try? loop.pump("an empty group") { group.isEmpty }
            group.release()
        }
    }

    static func makeCgroup() throws -> Cgroup {
        let mount = try #require(CgroupMount.current().first)
        let unique = "holdfast-test-\(getpid())-\(MonotonicClock.now().nanoseconds)"
        return try Cgroup(path: mount.point).makeChild(unique)
    }

    static var kinds: [Kind] {
        // Without a writable cgroup2 only the sessions can be tried.
        let point = CgroupMount.current().first?.point ?? ""
        return access(point + "/cgroup.procs", W_OK) == 0 && getuid() == 0 ? Kind.allCases : [.session]
    }

    private func states(_ pids: [Int32]) -> Set<Character> {
        Set(pids.compactMap { ProcessStatus(of: $0)?.state })
    }

    @Test(arguments: kinds) func aKillReachesGrandchildrenInEveryGroup(kind: Kind) throws {
        let worker = try Fixture(kind, Self.script)
        #expect(try worker.line() == "up\n")
        try worker.loop.pump("all four") { worker.members().count == 4 }
        let members = worker.members()
        #expect(!worker.group.isEmpty)
        worker.group.kill()
        try worker.loop.pump("the end") { worker.main.exit(keepingZombie: true) != nil }
        #expect(worker.main.exit(keepingZombie: true) == .signaled(signal: SIGKILL, coreDumped: false))
        _ = worker.main.exit(keepingZombie: false)
        try worker.loop.pump("an empty group") { worker.group.isEmpty }
        try worker.loop.pump("nothing left alive") {
            members.allSatisfy { ProcessStatus(of: $0)?.isZombie ?? true }
        }
    }

    @Test(arguments: kinds) func aFrozenGroupStandsStillAndGoesOn(kind: Kind) throws {
        let worker = try Fixture(kind, Self.script)
        #expect(try worker.line() == "up\n")
        try worker.loop.pump("all four") { worker.members().count == 4 }
        let members = worker.members()
        worker.group.freeze()
        if let cgroup = worker.group.cgroup {
            try worker.loop.pump("frozen") {
                let events = try SystemCall.readFile(cgroup.path + "/cgroup.events", limit: 256)
                return String(decoding: events, as: UTF8.self).contains("frozen 1")
            }
        } else {
            try worker.loop.pump("stopped") { states(members) == ["T"] }
        }
        worker.group.thaw()
        try worker.loop.pump("running again") {
            !states(members).contains("T")
                && worker.group.cgroup.map { cgroup in
                    let events = (try? SystemCall.readFile(cgroup.path + "/cgroup.events", limit: 256)) ?? []
                    return String(decoding: events, as: UTF8.self).contains("frozen 0")
                } ?? true
        }
    }

    @Test(arguments: kinds) func aFrozenGroupCanBeKilled(kind: Kind) throws {
        let worker = try Fixture(kind, Self.script)
        #expect(try worker.line() == "up\n")
        worker.group.freeze()
        worker.group.kill()
        try worker.loop.pump("the end") { worker.main.exit(keepingZombie: false) != nil }
        try worker.loop.pump("an empty group") { worker.group.isEmpty }
    }

    @Test(arguments: kinds) func theGroupCanBeKilledWhileTheMainProcessIsAZombie(kind: Kind) throws {
        let worker = try Fixture(kind, "sleep 1000 & echo $!; exit 3")
        let child = try #require(Int32(try worker.line().split(separator: "\n")[0]))
        try worker.loop.pump("the end") { worker.main.exit(keepingZombie: true) != nil }
        #expect(worker.main.exit(keepingZombie: true) == .exited(code: 3))
        #expect(!worker.group.isEmpty)
        worker.group.kill()
        try worker.loop.pump("the child's end") { ProcessStatus(of: child)?.isZombie ?? true }
        #expect(worker.main.exit(keepingZombie: false) == .exited(code: 3))
        try worker.loop.pump("an empty group") { worker.group.isEmpty }
    }

    @Test(arguments: kinds) func aSignalReachesEveryProcess(kind: Kind) throws {
        let worker = try Fixture(
            kind,
            "exec 2>/dev/null; sh -c 'trap \"echo child; exit\" TERM; echo up; while :; do sleep 0.05; done' & wait; wait"
        )
        #expect(try worker.line() == "up\n")
        worker.group.signal(SIGTERM)
        #expect(try worker.line() == "child\n")
        try worker.loop.pump("the end") { worker.main.exit(keepingZombie: false) != nil }
    }

    @Test(arguments: kinds) func knowsItsOwnProcessesFromOthers(kind: Kind) throws {
        let worker = try Fixture(kind, Self.script)
        #expect(try worker.line() == "up\n")
        try worker.loop.pump("all four") { worker.members().count == 4 }
        for pid in worker.members() { #expect(worker.group.contains(pid)) }
        for pid in [getpid(), getppid(), 1, 0, -1, Int32.max] { #expect(!worker.group.contains(pid)) }
    }

    @Test func aSignalBeforeTheChildHasItsSessionIsNotLost() throws {
        for _ in 0..<20 {
            let worker = try Fixture(.session, "sleep 1000")
            worker.group.kill()
            try worker.loop.pump("the end") { worker.main.exit(keepingZombie: true) != nil }
            #expect(worker.main.exit(keepingZombie: true) == .signaled(signal: SIGKILL, coreDumped: false))
        }
    }

    @Test func anEmptiedCgroupIsReported() throws {
        guard Self.kinds.contains(.cgroup) else { return }
        let worker = try Fixture(.cgroup, Self.script)
        #expect(try worker.line() == "up\n")
        var reports = 0
        #expect(try worker.group.watchEmptied(on: worker.loop) { reports += 1 })
        try worker.loop.runOnce(timeout: .zero)
        #expect(reports == 0)
        worker.group.kill()
        try worker.loop.pump("the report") { reports > 0 }
        #expect(worker.group.isEmpty)
        try worker.loop.runOnce(timeout: .zero)
        #expect(reports == 1)
    }

    @Test func aCgroupIsRemovedWithThoseInsideIt() throws {
        guard Self.kinds.contains(.cgroup) else { return }
        let cgroup = try Self.makeCgroup()
        _ = try cgroup.makeChild("inner").makeChild("innermost")
        try cgroup.remove()
        #expect(throws: SystemError.self) { try SystemCall.status(of: cgroup.path) }
    }

    @Test func anotherDirectoryIsNoCgroup() throws {
        let directory = try TemporaryDirectory()
        let error = #expect(throws: SystemError.self) { try Cgroup(path: directory.path) }
        #expect(error?.errno == ENOTSUP)
    }
}
