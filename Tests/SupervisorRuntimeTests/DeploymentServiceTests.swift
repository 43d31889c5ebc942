import ControlProtocol
import DeviceConfiguration
import ExecutorProtocol
import LinuxSystem
import MonotonicTime
import Supervision
import TestSupport
import Testing

@testable import SupervisorRuntime

/// Deployments over real sockets, with real processes that come and go; what the keeper would say, the test says.
@Suite(.timeLimit(.minutes(1))) final class DeploymentServiceTests {
    private let loop: EventLoop
    private let processes: ProcessTable
    private let cgroups = WorkerCgroups(.off)
    private lazy var service = makeService()
    /// The ends of the keepers, the latest last.
    private var keepers: [Keeper] = []
    private var obstacle: String?
    private var changes: [DeploymentReport] = []
    private var troubles: [String] = []
    private var problem: String?
    private var applied = 0
    private var uplink: UnixStream?
    private var found: [String: String?] = ["vision": "1@a"]
    private var tests: [SelfTestOrder] = []
    private var lastID = 0

    private struct Keeper {
        let socket: UnixStream
        let process: TransientProcess
    }

    private static let settings = DeploymentSettings(
        store: "/state/bundles", trustedRoot: "/root.json", hardware: "rpi5", quota: 1 << 30, minimumSpeed: 1024)

    init() throws {
        loop = try EventLoop()
        processes = ProcessTable(loop: loop, runtime: "test") { _ in }
    }

    private func makeService() -> DeploymentService {
        let keeper = KeeperProcess(loop: loop, settings: Self.settings) {
            [unowned self] channel, onEnd throws(KeeperObstacle) in try startKeeper(channel, onEnd)
        }
        let service = DeploymentService(
            loop: loop, keeper: keeper,
            startTest: { [unowned self] order, onEnd throws(SystemError) in try startTest(order, onEnd) })
        service.findBundles = { [unowned self] in found }
        service.onChange = { [unowned self] in changes.append($0) }
        keeper.onTrouble = { [unowned self] in troubles.append($0) }
        service.apply = { [unowned self] in
            applied += 1
            return problem
        }
        keeper.openControl = { (try? UnixStream.makeStreamPair())?.1 }
        keeper.offerDownloads = { [unowned self] in
            uplink = $0
            return true
        }
        return service
    }

    /// Nothing may be left: exit tests of other suites wait for any child of this process.
    deinit {
        guard !keepers.isEmpty else { return }
        service.stop()
        for keeper in keepers { keeper.process.kill() }
        for _ in 0..<100 where !processes.bystanders.isEmpty { try? loop.runOnce(timeout: .milliseconds(100)) }
    }

    private func startKeeper(
        _ channel: UnixStream, _ onEnd: @escaping (TransientProcess.End) -> Void
    ) throws(KeeperObstacle) -> TransientProcess {
        if let obstacle { throw KeeperObstacle(obstacle) }
        do throws(SystemError) {
            let process = try TransientProcess(
                SpawnRequest(executable: "/bin/sleep", arguments: ["sleep", "1000"], environment: []), mark: nil,
                loop: loop, processes: processes, cgroups: cgroups, onEnd: onEnd)
            let duplicate = try SystemCall.duplicate(channel.rawValue)
            keepers.append(Keeper(socket: UnixStream(owning: duplicate), process: process))
            return process
        } catch {
            throw KeeperObstacle(error)
        }
    }

    private func startTest(
        _ order: SelfTestOrder, _ onEnd: @escaping (String?) -> Void
    ) throws(SystemError) -> SelfTest {
        tests.append(order)
        return try SelfTest(
            SpawnRequest(executable: order.command[0], arguments: order.command, environment: ["HOLDFAST_INSTANCE=t"]),
            mark: "t", cgroup: nil, limit: order.timeLimit, loop: loop, processes: processes, cgroups: cgroups,
            onEnd: onEnd)
    }

    // MARK: Both sides

    /// What the latest keeper has been told that was not read yet.
    private func heard(_ count: Int, by keeper: Int? = nil) throws -> [ExecutorRequest] {
        let socket = keepers[keeper ?? keepers.count - 1].socket
        var found: [ExecutorRequest] = []
        try loop.pump("\(count) requests, came: \(found)") {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while case .done(let message) = try buffer.withUnsafeMutableBytes({ try socket.receive(into: $0) }),
                message.count > 0
            {
                found.append(try ExecutorRequest(json: try JSONValue.parse(Array(buffer[..<message.count]))))
            }
            return found.count >= count
        }
        return found
    }

    private func say(_ reports: ExecutorReport...) throws {
        for report in reports {
            _ = try keepers[keepers.count - 1].socket.send(report.json.serialised())
            // A packet a turn.
            try loop.runOnce(timeout: .seconds(1))
        }
    }

    private static let briefing: [ExecutorRequest] = [.keepDeployments(settings), .control, .control, .downloads]

    /// Starts a keeper, and reads what each is told.
    private func startUp(_ bundles: BundleReport...) throws {
        service.begin()
        #expect(try heard(4) == Self.briefing)
        for bundle in bundles { try say(.bundle(bundle)) }
        try say(.ready)
    }

    private func kill() throws {
        let count = keepers.count
        keepers[count - 1].process.kill()
        try loop.pump("the next keeper") { keepers.count > count }
        #expect(try heard(4) == Self.briefing)
    }

    /// A client, with what it hears.
    private final class Client {
        let connection: ControlConnection
        private let stream: UnixStream
        private var framer = MessageFramer()
        private(set) var replies: [VarlinkReply] = []

        init(_ id: Int, _ loop: EventLoop) throws {
            let (ours, theirs) = try UnixStream.makeStreamPair()
            connection = ControlConnection(id: id, stream: ours, rights: .change, loop: loop)
            try connection.start()
            stream = theirs
        }

        func read() throws {
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while case .done(let message) = try buffer.withUnsafeMutableBytes({ try stream.receive(into: $0) }),
                message.count > 0
            {
                try framer.append(Array(buffer[..<message.count]))
                while let text = try framer.next() {
                    replies.append(try VarlinkReply(json: JSONValue.parse(text, limits: .reply)))
                }
            }
        }

        var reports: [DeploymentReport] {
            replies.compactMap { try? DeploymentReport(json: $0.parameters.json) }
        }
        var error: RuntimeError? { replies.last.flatMap { RuntimeError($0) } }
    }

    private func client() throws -> Client {
        lastID += 1
        return try Client(lastID, loop)
    }

    private func expect(_ client: Client, _ count: Int) throws {
        try loop.pump("\(count) replies") {
            try client.read()
            return client.replies.count >= count
        }
        #expect(client.replies.count == count)
    }

    private func order(_ id: String, _ version: String = "2@b") -> DeploymentOrder {
        DeploymentOrder(id: id, bundle: "vision", .deploy, version: version)
    }

    private func report(
        _ id: String, _ state: DeploymentReport.State, _ percent: Int? = nil, code: String? = nil
    ) -> DeploymentReport {
        DeploymentReport(id: id, bundle: "vision", version: "2@b", state: state, percent: percent, code: code)
    }

    private static let vision = BundleReport(name: "vision", current: "1@a", good: ["1@a"])

    // MARK: Life

    @Test func `a device without bundles starts nothing, and says that there are none`() throws {
        found = [:]
        service.begin()
        let asking = try client()
        service.list(for: asking.connection)
        try expect(asking, 1)
        #expect(asking.replies[0].parameters.json == DeploymentsReply(bundles: []).json)
        service.cancel("x", for: asking.connection)
        try expect(asking, 2)
        #expect(asking.error == .noSuchDeployment(id: "x"))
        #expect(keepers.isEmpty)
    }

    @Test func `a keeper is told its settings first, and answers for what it has told when it is gone`() throws {
        let early = try client()
        service.list(for: early.connection)
        #expect(try heard(4) == Self.briefing)
        #expect(uplink != nil)
        try say(.bundle(Self.vision))
        #expect(early.replies.isEmpty, "half of it is no answer")
        found["audio"] = .some(nil)
        try say(.bundle(BundleReport(name: "audio", current: nil)), .ready)
        try expect(early, 1)
        #expect(
            try DeploymentsReply(json: early.replies[0].parameters.json).bundles.map(\.name) == ["audio", "vision"])
        try say(.idle(heard: 0))
        // It hears that nobody listens any more.
        var buffer = [UInt8](repeating: 0, count: 64)
        try loop.pump("its channel is closed") {
            guard
                case .done(let message) = try buffer.withUnsafeMutableBytes({ try keepers[0].socket.receive(into: $0) })
            else { return false }
            return message.count == 0
        }
        keepers[0].process.kill()
        let late = try client()
        service.list(for: late.connection)
        try expect(late, 1)
        #expect(late.replies == early.replies)
        #expect(keepers.count == 1)
        try loop.pump("its end") { processes.bystanders.isEmpty }
        #expect(troubles.isEmpty)
        // Somebody has installed another version by hand.
        found["vision"] = "2@b"
        service.list(for: late.connection)
        #expect(try heard(4) == Self.briefing)
        try say(.bundle(BundleReport(name: "vision", current: "2@b")), .ready)
        try expect(late, 2)
        #expect(try DeploymentsReply(json: late.replies[1].parameters.json).bundles.map(\.current) == ["2@b"])
    }

    @Test func `the next keeper's bundles replace those of the one before`() throws {
        try startUp(Self.vision, BundleReport(name: "gone", current: "1@a"))
        try kill()
        try say(.bundle(BundleReport(name: "vision", current: "2@b")), .ready)
        let asking = try client()
        service.list(for: asking.connection)
        try expect(asking, 1)
        #expect(
            try DeploymentsReply(json: asking.replies[0].parameters.json).bundles == [
                BundleReport(name: "vision", current: "2@b")
            ])
    }

    @Test func `one that cannot be started refuses those who ask, with the reason, and is tried again`() throws {
        obstacle = "there is no user holdfast-executor"
        found = [:]
        let asking = try client()
        service.deploy(order("d-1"), for: asking.connection)
        try expect(asking, 1)
        #expect(asking.error == .deploymentRefused(message: "there is no user holdfast-executor"))
        let listing = try client()
        found = ["vision": "1@a"]
        service.list(for: listing.connection)
        try expect(listing, 1)
        #expect(listing.error == .unavailable(message: "there is no user holdfast-executor"))
        #expect(troubles == ["there is no user holdfast-executor"], "said once")
        #expect(service.keeper.trouble?.contains("no user") == true)
        obstacle = nil
        try loop.pump("the next try") { !keepers.isEmpty }
        #expect(try heard(4) == Self.briefing)
        try say(.ready)
        #expect(service.keeper.trouble == nil)
        #expect(try heard(0) == [], "what was refused is not done after all")
    }

    @Test func `a new uplink gets a new socket, and the keeper the other end of it`() throws {
        try startUp()
        uplink = nil
        service.keeper.uplinkStarted()
        #expect(try heard(1) == [.downloads])
        #expect(uplink != nil)
        service.stop()
        uplink = nil
        try loop.pump("its end") { processes.bystanders.isEmpty }
        service.keeper.uplinkStarted()
        #expect(uplink == nil)
    }

    // MARK: Deployments

    @Test func `everybody who asks with the same id hears the rest, and who comes later hears the end`() throws {
        try startUp(Self.vision)
        let first = try client()
        service.deploy(order("d-1"), for: first.connection)
        #expect(try heard(1) == [.deploy(order("d-1"))])
        try say(.deployment(report("d-1", .downloading, 10)))
        let second = try client()
        service.deploy(order("d-1"), for: second.connection)
        try say(.deployment(report("d-1", .probation)), .deployment(report("d-1", .committed)))
        try expect(first, 3)
        try expect(second, 3)
        #expect(first.reports.map(\.state) == [.downloading, .probation, .committed])
        #expect(second.reports == first.reports)
        #expect(first.replies.map(\.continues) == [true, true, false])
        let late = try client()
        service.deploy(order("d-1"), for: late.connection)
        try expect(late, 1)
        #expect(late.reports == [report("d-1", .committed)])
        #expect(try heard(0) == [], "it is not made twice")
        let other = try client()
        service.deploy(order("d-1", "3@c"), for: other.connection)
        try expect(other, 1)
        #expect(other.error == .deploymentRefused(message: "another deployment has the id d-1 already"))
    }

    @Test func `a client that goes away changes nothing`() throws {
        try startUp(Self.vision)
        var leaving: Client? = try client()
        service.deploy(order("d-1"), for: try #require(leaving).connection)
        leaving?.connection.close()
        leaving = nil
        try say(.deployment(report("d-1", .committed)))
        let late = try client()
        service.deploy(order("d-1"), for: late.connection)
        try expect(late, 1)
        #expect(late.reports == [report("d-1", .committed)])
    }

    @Test func `what has not ended is asked of the next keeper again, and so is that it is to end`() throws {
        try startUp(Self.vision)
        let asking = try client()
        for id in ["d-1", "d-2", "d-3"] { service.deploy(order(id), for: try client().connection) }
        #expect(try heard(3).count == 3)
        service.cancel("d-3", for: asking.connection)
        try expect(asking, 1)
        #expect(try heard(1) == [.cancelDeployment(id: "d-3")])
        try say(.deployment(report("d-1", .probation)), .deployment(report("d-2", .committed)))
        #expect(service.bundlesUnderWay == ["vision"])
        try kill()
        #expect(troubles == ["holdfast-executor, which keeps the deployments, was ended by SIGKILL"])
        try say(.ready)
        #expect(
            try heard(3) == [.deploy(order("d-1")), .deploy(order("d-3")), .cancelDeployment(id: "d-3")])
    }

    @Test func `what a keeper has died over before the switch is begun anew by the next, three times`() throws {
        try startUp(Self.vision)
        let asking = try client()
        service.deploy(order("d-1"), for: asking.connection)
        #expect(try heard(1) == [.deploy(order("d-1"))])
        try say(.deployment(report("d-1", .staged)))
        try expect(asking, 1)
        try kill()
        for _ in 0..<2 {
            try say(.deployment(report("d-1", .failed, code: "interrupted")), .ready)
            #expect(try heard(1) == [.deploy(order("d-1"))])
            try say(.deployment(report("d-1", .downloading)))
            // The next one is not started at once: this one was not there for long.
            try kill()
        }
        #expect(asking.reports.allSatisfy { !$0.state.isEnd })
        try say(.deployment(report("d-1", .failed, code: "interrupted")), .ready)
        #expect(try heard(1) == [.deploy(order("d-1"))])
        try kill()
        try say(.deployment(report("d-1", .failed, code: "interrupted")), .ready)
        try expect(asking, 4)
        #expect(asking.reports.last?.code == "interrupted")
        // Whoever wants it all the same may ask.
        service.deploy(order("d-1"), for: asking.connection)
        #expect(try heard(1) == [.deploy(order("d-1"))])
    }

    @Test func `an interrupted deployment from before the start is begun anew for whoever asks for it`() throws {
        service.begin()
        #expect(try heard(4) == Self.briefing)
        try say(.deployment(report("d-1", .failed, code: "interrupted")), .ready)
        let asking = try client()
        service.deploy(order("d-1"), for: asking.connection)
        #expect(try heard(1) == [.deploy(order("d-1"))])
        try say(.deployment(report("d-1", .committed)))
        try expect(asking, 1)
        #expect(asking.reports.map(\.state) == [.committed])
    }

    @Test func `a deployment from before the start is known when the keeper has told of it`() throws {
        let asking = try client()
        service.cancel("old", for: asking.connection)
        #expect(try heard(4) == Self.briefing)
        try say(.deployment(report("old", .probation)), .ready)
        try expect(asking, 1)
        #expect(asking.replies[0].error == nil)
        #expect(try heard(1) == [.cancelDeployment(id: "old")])
        let joining = try client()
        service.deploy(order("old"), for: joining.connection)
        #expect(try heard(1) == [.deploy(order("old"))], "whether it is the same, the keeper knows")
        try say(.deployment(report("old", .rolledBack, code: "cancelled")))
        try expect(joining, 2)
        #expect(joining.reports.last?.state == .rolledBack)
        service.cancel("old", for: asking.connection)
        try expect(asking, 2)
        #expect(asking.error == .noSuchDeployment(id: "old"))
    }

    @Test func `what only a keeper before knew, and the next one does not, is over`() throws {
        try startUp(Self.vision)
        try say(.deployment(report("old", .probation)))
        #expect(service.bundlesUnderWay == ["vision"])
        try kill()
        try say(.ready)
        #expect(service.bundlesUnderWay == [])
        let asking = try client()
        service.cancel("old", for: asking.connection)
        try expect(asking, 1)
        #expect(asking.error == .noSuchDeployment(id: "old"))
    }

    @Test func `the last 32 ends are kept, and more than 64 at once are refused`() throws {
        try startUp(Self.vision)
        for number in 0..<40 { try say(.deployment(report("d-\(number)", .committed))) }
        let late = try client()
        service.deploy(order("d-39"), for: late.connection)
        service.deploy(order("d-8"), for: late.connection)
        try expect(late, 2)
        service.deploy(order("d-7"), for: late.connection)
        #expect(try heard(1) == [.deploy(order("d-7"))], "forgotten here; the keeper may know")
        for number in 100..<163 { service.deploy(order("d-\(number)"), for: try client().connection) }
        let refused = try client()
        service.deploy(order("d-163"), for: refused.connection)
        try expect(refused, 1)
        guard case .deploymentRefused? = refused.error else { throw SystemError(call: "deploy", errno: 0) }
    }

    @Test func `each state is an event, and progress at most one a second`() throws {
        try startUp(Self.vision)
        for percent in 0..<50 { try say(.deployment(report("d-1", .downloading, percent))) }
        #expect(changes.count == 1)
        try say(.deployment(report("d-1", .verifying, 1)), .deployment(report("d-1", .verifying, 1)))
        try say(.deployment(report("d-1", .failed, code: "no-space")))
        #expect(changes.map(\.state) == [.downloading, .verifying, .failed])
    }

    @Test func `at a stop it is ended, whoever waits is told, and nothing is begun`() throws {
        try startUp(Self.vision)
        let waiting = try client()
        service.deploy(order("d-1"), for: waiting.connection)
        service.stop()
        try expect(waiting, 1)
        guard case .unavailable? = waiting.error else { throw SystemError(call: "stop", errno: 0) }
        try loop.pump("its end") { processes.bystanders.isEmpty }
        let late = try client()
        service.deploy(order("d-2"), for: late.connection)
        service.crashLooped("vision", "camera")
        try expect(late, 1)
        #expect(keepers.count == 1)
        #expect(troubles.isEmpty)
        // The runtime goes on after all.
        service.resume()
        #expect(keepers.count == 2)
        #expect(try heard(4) == Self.briefing)
        try say(.ready)
        #expect(try heard(1) == [.deploy(order("d-1"))])
    }

    // MARK: What the keeper asks for

    @Test func `the bundles are read anew when it asks, and it is told what is wrong`() throws {
        try startUp(Self.vision)
        try say(.apply(step: 7))
        #expect(try heard(1) == [.stepEnded(step: 7, problem: nil)])
        problem = "tree.toml:1:1: worker.camera: is wrong; " + String(repeating: "x", count: 1 << 20)
        try say(.apply(step: 8))
        guard case .stepEnded(step: 8, let told?)? = try heard(1).first else {
            throw SystemError(call: "apply", errno: 0)
        }
        #expect(told.hasPrefix("tree.toml:1:1: worker.camera: is wrong") && told.count < 10_000)
        #expect(applied == 2)
    }

    @Test func `a crash loop is told at once, or to a keeper that is started for it, once for each bundle`() throws {
        service.crashLooped("vision", "camera was given up")
        service.crashLooped("vision", "lens was given up")
        service.crashLooped("audio", "mic was given up")
        #expect(try heard(4) == Self.briefing)
        try say(.ready)
        #expect(
            try heard(2) == [
                .crashLooped(bundle: "vision", text: "camera was given up"),
                .crashLooped(bundle: "audio", text: "mic was given up"),
            ])
        service.crashLooped("vision", "again")
        #expect(try heard(1) == [.crashLooped(bundle: "vision", text: "again")])
    }

    @Test func `a self-test says by its exit status whether the version is good, and by its last line why not`() throws
    {
        try startUp(Self.vision)
        func test(_ step: Int, _ script: String, _ limit: Duration = .seconds(30)) throws {
            try say(
                .selfTest(step: step, bundle: "vision", command: ["/bin/sh", "-c", script], timeLimit: limit))
        }
        try test(1, "echo fine")
        #expect(try heard(1) == [.stepEnded(step: 1, problem: nil)])
        try test(2, "echo looking; printf 'no \\033[31mframe\\n\\n' >&2; exit 3")
        #expect(
            try heard(1) == [.stepEnded(step: 2, problem: "the self-test ended with status 3: no [31mframe")])
        try test(3, "kill -9 $$")
        #expect(try heard(1) == [.stepEnded(step: 3, problem: "the self-test was ended by SIGKILL")])
        try test(4, "echo waiting; sleep 1000 & wait", .milliseconds(300))
        #expect(
            try heard(1) == [
                .stepEnded(step: 4, problem: "the self-test did not end within 300 ms, and was ended: waiting")
            ])
        // A flood is drained, and what is left behind does not hold it up.
        try test(5, "yes flood | head -c 300000; (yes flood) & exit 1")
        guard case .stepEnded(step: 5, let flood?)? = try heard(1).first else {
            throw SystemError(call: "test", errno: 0)
        }
        // Whoever is killed may be in the middle of a line.
        #expect(flood.hasPrefix("the self-test ended with status 1"))
        try say(.selfTest(step: 6, bundle: "vision", command: ["/nowhere/test"], timeLimit: .seconds(5)))
        guard case .stepEnded(step: 6, let problem?)? = try heard(1).first else {
            throw SystemError(call: "test", errno: 0)
        }
        #expect(problem.contains("could not be executed"))
    }

    @Test func `one that is not waited for any more is killed with all that it has started, and not answered`() throws {
        let folder = try TemporaryDirectory()
        try startUp(Self.vision)
        let script = "sleep 1000 & echo $! > \(folder.path)/pid.new; mv \(folder.path)/pid.new \(folder.path)/pid; wait"
        try say(
            .selfTest(step: 1, bundle: "vision", command: ["/bin/sh", "-c", script], timeLimit: .seconds(60)))
        var text = ""
        try loop.pump("its child") {
            text =
                (try? SystemCall.readFile("\(folder.path)/pid", limit: 32)).map { String(decoding: $0, as: UTF8.self) }
                ?? ""
            return !text.isEmpty
        }
        let pid = try #require(Int32(text.split(separator: "\n")[0]))
        try say(.abandonStep(step: 1))
        try loop.pump("both are gone") {
            (try? SystemCall.readFile("/proc/\(pid)/stat", limit: 512)).map { $0.contains(UInt8(ascii: "Z")) } ?? true
        }
        try say(.apply(step: 2))
        #expect(try heard(1) == [.stepEnded(step: 2, problem: nil)], "and nothing of step 1")
    }
}
