import ControlProtocol
import ExecutorProtocol
import LinuxSystem
import MonotonicTime
import TestSupport
import Testing

@testable import ExecutorRuntime

@Suite(.timeLimit(.minutes(2))) struct DeploymentKeeperTests {
    private static let wholeWay: [DeploymentReport.State] = [
        .downloading, .verifying, .unpacking, .staged, .activating, .probation, .committed,
    ]

    @Test("a version is fetched, checked, unpacked, switched to, watched and committed") func deploys() throws {
        let it = try KeeperFixture()
        try it.start()
        #expect(it.isIdle)
        let order = try it.publish(1)
        let end = try it.run(order)
        #expect(end?.state == .committed)
        #expect(it.states(of: order.id) == Self.wholeWay)
        #expect(it.current == order.version)
        #expect(it.applied == 1)
        #expect(it.fetched.map(\.name.count) == ["targets.json".count, 64])
        #expect(it.limits.allSatisfy { $0 > .seconds(3500) && $0 <= .seconds(3600) })
        try it.loop.pump("nothing is left to do") { it.isIdle }
        #expect(it.bundles["vision"]?.good == [order.version].compactMap { $0 })
        #expect(it.bundles["vision"]?.current == order.version)
        // The archive is of no use any more.
        let left = try SystemCall.names(inDirectory: "\(it.settings.store)/downloads")
        #expect(left == ["targets.json"])
    }

    @Test("a version that does not become ready is taken back, and the one before runs again") func rollsBack() throws {
        let it = try KeeperFixture()
        try it.start()
        let first = try it.publish(1)
        try it.run(first)
        let second = try it.publish(2)
        it.state = "starting"
        it.order(second)
        try it.loop.pump("the second version runs") { it.states(of: second.id).last == .probation }
        #expect(it.current == second.version)
        // It gives up for good.
        it.state = "failed"
        it.happen()
        try it.loop.pump("it is taken back") { it.states(of: second.id).last == .reverting }
        it.state = "ready"
        it.happen()
        try it.loop.pump("it has ended") { it.end(of: second.id) != nil }
        #expect(it.end(of: second.id)?.state == .rolledBack)
        #expect(it.end(of: second.id)?.code == "crash-loop")
        #expect(it.current == first.version)
    }

    @Test("a restart in its probation is a break, however well it is when somebody looks") func restart() throws {
        let it = try KeeperFixture()
        try it.start()
        let order = try it.publish(1, probation: "300ms")
        it.order(order)
        try it.loop.pump("it is watched") { it.states(of: order.id).last == .probation }
        let began = it.loop.now
        for _ in 0..<2 {
            try it.loop.runOnce(timeout: .milliseconds(100))
            it.restarts += 1
            it.happen()
        }
        try it.loop.pump("it is committed") { it.end(of: order.id) != nil }
        #expect(it.end(of: order.id)?.state == .committed)
        #expect(began.duration(to: it.loop.now) >= .milliseconds(300))
    }

    @Test("killed at any state, the next keeper comes to a declared end without the network") func killed() throws {
        for state in Self.wholeWay.dropLast() {
            let it = try KeeperFixture()
            try it.start()
            let first = try it.publish(1)
            try it.run(first)
            let second = try it.publish(2, probation: "100ms")
            // Until the keeper is gone the runtime answers nothing.
            it.apply = { nil }
            it.order(second)
            try it.loop.pump("it comes as far as \(state)") { it.states(of: second.id).contains(state) }
            it.kill()
            it.apply = { .some(nil) }
            try it.start(hasUplink: false)
            try it.loop.pump("the next keeper is done, after \(state)") { it.isIdle }
            let isSwitched = it.current == second.version
            #expect(isSwitched || it.current == first.version, "after \(state)")
            let deployment = it.bundles["vision"]?.deployment
            #expect(deployment?.state == (isSwitched ? .committed : .failed), "after \(state)")
            if !isSwitched {
                #expect(deployment?.code == "interrupted", "after \(state)")
                // The same order again is begun anew.
                try it.connectUplink()
                #expect(try it.run(second)?.state == .committed, "after \(state)")
            } else {
                // The same order again gets the same answer.
                #expect(try it.run(second)?.state == .committed, "after \(state)")
                #expect(it.states(of: second.id) == [.committed])
            }
        }
    }

    @Test("a download that is broken off goes on where it was, with the next uplink and the next keeper") func resumes()
        throws
    {
        let it = try KeeperFixture()
        try it.start()
        let order = try it.publish(1, padding: 100_000)
        it.breaksOffAfter = 40_000
        it.order(order)
        try it.loop.pump("some of it has come") { it.reports.contains { $0.percent ?? 0 > 0 } }
        it.disconnectUplink()
        it.breaksOffAfter = 20_000
        it.reports = []
        try it.connectUplink()
        try it.loop.pump("some more has come") { it.reports.contains { $0.percent ?? 0 > 50 } }
        it.kill()
        it.breaksOffAfter = nil
        try it.start()
        #expect(try it.run(order)?.state == .committed)
        #expect(it.fetched.filter { $0.name.count == 64 }.map(\.offset) == [0, 40_000, 60_000])
    }

    @Test("what an earlier try has left and is wrong is fetched again as a whole") func wrongRest() throws {
        let it = try KeeperFixture()
        try it.start()
        let order = try it.publish(1, padding: 100_000)
        it.breaksOffAfter = 40_000
        it.served = { $0.map { ~$0 } }
        it.order(order)
        try it.loop.pump("some of it has come") { it.reports.contains { $0.percent ?? 0 > 0 } }
        it.disconnectUplink()
        (it.breaksOffAfter, it.served) = (nil, { $0 })
        try it.connectUplink()
        try it.loop.pump("it has ended") { it.end(of: order.id) != nil }
        #expect(it.end(of: order.id)?.state == .committed)
        #expect(it.fetched.filter { $0.name.count == 64 }.map(\.offset) == [0, 40_000, 0])
    }

    @Test("what is not what was signed is not unpacked") func wrongArchive() throws {
        let it = try KeeperFixture()
        try it.start()
        let order = try it.publish(1)
        it.served = { bytes in bytes.dropLast() + [bytes[bytes.count - 1] ^ 1] }
        let end = try it.run(order)
        #expect(end?.state == .failed)
        #expect(end?.code == "verification-failed")
        #expect(it.current == nil)
        #expect(it.applied == 0)
    }

    @Test("metadata that are older than those that were seen are not taken") func olderMetadata() throws {
        let it = try KeeperFixture()
        try it.start()
        let old = try it.publish(1)
        let bytes = try it.signedTargets()
        try it.run(try it.publish(2))
        it.servedTargets = bytes
        let end = try it.run(old)
        #expect(end?.state == .failed)
        #expect(end?.message?.contains("this device has seen") ?? false)
    }

    @Test("a self-test that fails takes the version back") func selfTest() throws {
        let it = try KeeperFixture()
        try it.start()
        var commands: [[String]] = []
        it.selfTest = {
            commands.append($0)
            return "it says no"
        }
        let order = try it.publish(1, selfTest: ["{bundle}/bin/camera", "--check"])
        let end = try it.run(order)
        #expect(end?.state == .failed)
        #expect(end?.code == "self-test-failed")
        #expect(
            commands == [["\(it.settings.store)/vision/versions/\(order.version ?? "")/files/bin/camera", "--check"]])
        #expect(it.current == nil)
    }

    @Test("a version that the runtime refuses is not kept") func refused() throws {
        let it = try KeeperFixture()
        try it.start()
        let first = try it.publish(1)
        try it.run(first)
        let second = try it.publish(2)
        it.apply = { [unowned it] in it.current == second.version ? .some("it has a worker twice") : .some(nil) }
        let end = try it.run(second)
        #expect(end?.state == .rolledBack)
        #expect(end?.message?.contains("it has a worker twice") ?? false)
        #expect(it.current == first.version)
    }

    @Test("a rollback takes the version before, without the network") func rollback() throws {
        let it = try KeeperFixture()
        try it.start()
        let first = try it.publish(1)
        try it.run(first)
        try it.run(try it.publish(2))
        it.disconnectUplink()
        let end = try it.run(DeploymentOrder(id: "back", bundle: "vision", .rollback))
        #expect(end?.state == .committed)
        #expect(it.current == first.version)
    }

    @Test(
        "orders that nobody can carry out are refused in words",
        arguments: [
            (
                DeploymentOrder(id: "1", bundle: "../etc", .deploy, version: "1.0@0123456789abcdef"),
                "cannot be the name"
            ),
            (DeploymentOrder(id: "2", bundle: "vision", .deploy, version: "../../x"), "is no version"),
            (
                DeploymentOrder(id: "3", bundle: "vision", .deploy, version: "1.0@0123456789abcdef"),
                "does not name a file"
            ),
            (DeploymentOrder(id: "4", bundle: "vision", .rollback), "no other good version"),
        ]) func wrongOrders(_ order: DeploymentOrder, _ words: String) throws
    {
        let it = try KeeperFixture()
        try it.start()
        let end = try it.run(order)
        #expect(end?.state == .failed)
        #expect(end?.message?.contains(words) ?? false)
        try it.loop.pump("nothing is left to do") { it.isIdle }
    }

    @Test("a bundle that crashes again and again long afterwards is left for the one before") func crashLoop() throws {
        let it = try KeeperFixture()
        try it.start()
        let first = try it.publish(1)
        try it.run(first)
        let second = try it.publish(2)
        try it.run(second)
        try it.loop.pump("nothing is left to do") { it.isIdle }
        it.keeper?.handle(.crashLooped(bundle: "vision", text: "camera was parked"), nil)
        try it.loop.pump("the first one runs") { it.current == first.version }
        try it.loop.pump("that is the end") { it.bundles["vision"]?.deployment?.state == .rolledBack }
        #expect(it.bundles["vision"]?.barred == [second.version].compactMap { $0 })
        // It is not taken again.
        let again = DeploymentOrder(id: "again", bundle: "vision", .deploy, version: second.version, file: second.file)
        #expect(try it.run(again)?.code == "barred")
    }

    @Test("while somebody else works in the store, it waits, and says so") func locked() throws {
        let it = try KeeperFixture()
        try SystemCall.makeDirectory("\(it.folder.path)/store")
        var lock: DirectoryLock? = try DirectoryLock("\(it.folder.path)/store")
        let keeper = try DeploymentKeeper(it.settings, loop: it.loop)
        var (isReady, warnings) = (false, [String]())
        keeper.onReport = { if $0 == .ready { isReady = true } }
        keeper.onWarning = { warnings.append($0) }
        keeper.start()
        try it.loop.pump("it says what it waits for") { !warnings.isEmpty }
        #expect(!isReady)
        withExtendedLifetime(lock) {}
        lock = nil
        try it.loop.pump("it is ready") { isReady }
        #expect(warnings.count == 1)
    }
}
