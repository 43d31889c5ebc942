import Foundation
import Glibc
import MonotonicTime
import TestSupport
import Testing

@testable import LinuxSystem

/// Each in a process of its own, for a subreaper gets the orphans of all that its process starts.
@Suite(.timeLimit(.minutes(1)))
struct OrphansTests {
    static func spawn(_ script: String, instance: String = "77") throws -> (ChildProcess, SharedDescriptor) {
        let (readEnd, writeEnd) = try SystemCall.makePipe().shared()
        var request = SpawnRequest(
            executable: "/bin/sh", arguments: ["sh", "-c", script],
            environment: ["PATH=/usr/bin:/bin", "HOLDFAST_INSTANCE=\(instance)"])
        let number = try #require(writeEnd.rawValue)
        request.output = .descriptors(output: number, error: number)
        return (try ChildProcess.spawn(request), readEnd)
    }

    @Test func orphansAreReapedAndTheMainProcessIsNot() async {
        await #expect(processExitsWith: .success) {
            try Orphans.becomeSubreaper()
            let loop = try EventLoop()
            // The main process ends first: waitid(2) shows its zombie before the orphans'.
            let (main, _) = try OrphansTests.spawn("(exit 1) & (sleep 0.1) & (sleep 0.2) & exit 9")
            try loop.pump("the end") { main.exit(keepingZombie: true) != nil }
            var reaped: Set<Int32> = []
            try loop.pump("both orphans") {
                reaped.formUnion(Orphans.reap { $0 == main.pid })
                return ProcessFamily.children(of: getpid()) == [main.pid]
            }
            #expect(reaped.count >= 2)
            #expect(!reaped.contains(main.pid))
            #expect(main.exit(keepingZombie: false) == .exited(code: 9))
            #expect(Orphans.reap { _ in false }.isEmpty)
        }
    }

    @Test func whatEscapedByForkingTwiceIsFoundAndBelongsToItsInstance() async {
        await #expect(processExitsWith: .success) {
            try Orphans.becomeSubreaper()
            let loop = try EventLoop()
            let (main, _) = try OrphansTests.spawn("setsid sh -c 'sleep 1000 & exit' & wait; exit 0")
            let (other, _) = try OrphansTests.spawn("setsid sh -c 'sleep 1000 & exit' & wait; exit 0", instance: "78")
            let mains = [main.pid, other.pid]
            try loop.pump("both ends") {
                main.exit(keepingZombie: true) != nil && other.exit(keepingZombie: true) != nil
            }
            let group = ProcessGroup(leader: main, instance: "77")
            var escaped: [Int32] = []
            try loop.pump("the escaped one") {
                Orphans.reap { mains.contains($0) }
                escaped = Orphans.escaped(instance: "77") { mains.contains($0) }
                return escaped.count == 1
            }
            #expect(ProcessStatus(of: escaped[0])?.session != main.pid)
            #expect(group.contains(escaped[0]))
            let all = Orphans.all { mains.contains($0) }
            #expect(Set(all.map(\.instance)) == ["77", "78"])
            for (pid, _) in all { try ChildProcess.adopting(pid: pid).signal(SIGKILL) }
            try loop.pump("their ends") {
                Orphans.reap { mains.contains($0) }
                return Orphans.all { mains.contains($0) }.isEmpty
            }
            #expect(Orphans.escaped(instance: "77") { mains.contains($0) }.isEmpty)
        }
    }

    @Test func noForkOrExecHidesACarrier() async {
        await #expect(processExitsWith: .success) {
            for round in 0..<60 {
                let instance = "\(getpid())-\(round)"
                let (main, _) = try OrphansTests.spawn("(sh -c '(sleep 1000) & exit' &)", instance: instance)
                try #require(try SystemCall.wait(for: main.execDescriptor ?? -1, .readable, timeout: .seconds(10)))
                // From one to the next, until but the last is there.
                var isSettled = false
                while !isSettled {
                    let carriers = Orphans.carriers(of: instance)
                    try #require(!carriers.isEmpty, "round \(round)")
                    let command = try? String(contentsOfFile: "/proc/\(carriers[0].pid)/cmdline", encoding: .utf8)
                    isSettled = carriers.count == 1 && command?.hasPrefix("sleep") == true
                }
                let ended = Orphans.signalCarriers(SIGKILL) { $0[Orphans.instanceVariable] == instance }
                #expect(ended.count == 1)
            }
        }
    }

    @Test func whateverAWorkerLeavesIsEndedInTheEnd() async {
        await #expect(processExitsWith: .success) {
            try Orphans.becomeSubreaper()
            let loop = try EventLoop()
            let (main, _) = try OrphansTests.spawn(
                "setsid env -i sh -c 'setsid sh -c \"sleep 1000; :\" & wait' & exit 0")
            try loop.pump("the end") { main.exit(keepingZombie: false) != nil }
            try loop.pump("three generations") {
                let orphans = ProcessFamily.children(of: getpid())
                return orphans.count == 1 && ProcessFamily.descendants(of: orphans[0]).count == 2
            }
            Orphans.end { _ in false }
            #expect(ProcessFamily.children(of: getpid()).isEmpty)
        }
    }

    @Test func whatClearedItsEnvironmentIsFoundByItsSession() async {
        await #expect(processExitsWith: .success) {
            try Orphans.becomeSubreaper()
            let loop = try EventLoop()
            let (main, _) = try OrphansTests.spawn("env -i timeout 1000 sleep 1000 & sleep 0.1; exit 0")
            try loop.pump("the end") { main.exit(keepingZombie: true) != nil }
            #expect(Orphans.escaped(instance: "77", known: { $0 == main.pid }).isEmpty)
            let escaped = Orphans.escaped(instance: "77", session: main.pid) { $0 == main.pid }
            #expect(escaped.count == 1)
            for pid in escaped + ProcessFamily.descendants(of: escaped[0]) { kill(pid, SIGKILL) }
        }
    }

    @Test func withoutChildrenThereIsNothingToReap() async {
        await #expect(processExitsWith: .success) {
            #expect(Orphans.reap { _ in false }.isEmpty)
            #expect(Orphans.all { _ in false }.isEmpty)
        }
    }
}
