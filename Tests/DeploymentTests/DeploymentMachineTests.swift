import Deployment
import DeploymentSimulation
import MonotonicTime
import Testing

/// A machine with the disk and the supervisor that it sees, driven by hand.
private struct Device {
    var machine = DeploymentMachine()
    var current: BundleVersion?
    var now = MonotonicInstant.zero
    var saved: (DeploymentRecord, VersionHistory)?
    private(set) var actions: [DeploymentMachine.Action] = []

    static let one = BundleVersion(number: "1", digest: "a")
    static let two = BundleVersion(number: "2", digest: "b")
    static let three = BundleVersion(number: "3", digest: "c")
    static let terms = VersionTerms(probation: .seconds(10), readyWithin: .seconds(5))

    init() {
        say(.recovered(nil, VersionHistory(), intact: []))
        wait(.zero)
    }

    @discardableResult
    mutating func say(_ event: DeploymentMachine.Event) -> [String] {
        actions = machine.handle(event, current: current, at: now)
        for case .persist(let record, let history) in actions { saved = (record, history) }
        return actions.map(Self.summary)
    }

    static func summary(_ action: DeploymentMachine.Action) -> String {
        switch action {
        case .persist(let record, _): "persist \(record.state.rawValue)"
        case .perform(let step, _): "\(step)".replacing("Deployment.", with: "").replacing("Optional", with: "")
        case .abandon: "abandon"
        case .observe(let version): "observe \(version)"
        case .endObservation: "end observation"
        case .report(_, let state, _): "report \(state.rawValue)"
        case .end(let end): "end \(end.id) \(end.state.rawValue) \(end.reason?.code.rawValue ?? "")"
        case .collect: "collect"
        }
    }

    @discardableResult
    mutating func finish(_ end: DeploymentMachine.StepEnd = .done) -> [String] {
        for case .perform(let step, let token) in actions {
            if end == .done || end == .unpacked(Self.terms), case .switchTo(let version) = step { current = version }
            return say(.finished(token: token, end))
        }
        Issue.record("no step is under way after \(actions.map(Self.summary))")
        return []
    }

    @discardableResult
    mutating func wait(_ duration: Duration) -> [String] {
        now = now + duration
        return say(.deadlineReached)
    }

    mutating func request(_ id: String, _ intent: DeploymentRequest.Intent, isForced: Bool = false) -> [String] {
        say(.requested(DeploymentRequest(id: id, intent, isForced: isForced)))
    }

    /// As far as its probation.
    mutating func start(_ id: String, _ version: BundleVersion, _ terms: VersionTerms = Self.terms) {
        _ = request(id, .deploy(version))
        finish()
        finish()
        finish(.unpacked(terms))
        finish()
        finish()
        finish()
    }

    mutating func deploy(_ id: String, _ version: BundleVersion, _ terms: VersionTerms = Self.terms) {
        start(id, version, terms)
        say(.healthChanged(.well))
        wait(terms.probation)
        wait(.zero)
    }

    /// The power is cut, and comes back.
    @discardableResult
    mutating func cut(intact: Set<BundleVersion>? = nil) -> [String] {
        machine = DeploymentMachine()
        return say(
            .recovered(saved?.0, saved?.1 ?? VersionHistory(), intact: intact ?? [Self.one, Self.two, Self.three]))
    }
}

@Suite("Deployment")
struct DeploymentMachineTests {
    @Test("each state is on disk before its step, and success comes after probation")
    func wholeWay() {
        var device = Device()
        #expect(
            device.request("a", .deploy(Device.one)) == [
                "persist downloading", "report downloading", "download(1@a)",
            ])
        #expect(device.finish() == ["persist verifying", "report verifying", "verify(1@a)"])
        #expect(device.finish() == ["persist unpacking", "report unpacking", "unpack(1@a)"])
        #expect(device.finish(.unpacked(Device.terms)) == ["persist staged", "report staged", "checkTree(1@a)"])
        #expect(device.finish() == ["persist activating", "report activating", "switchTo((1@a))"])
        #expect(device.finish() == ["persist probation", "report probation", "apply((1@a))"])
        #expect(device.finish() == ["observe 1@a"])
        #expect(device.say(.healthChanged(.well)) == [])
        #expect(device.wait(.seconds(9)) == [])
        #expect(device.wait(.seconds(1)) == ["persist committed", "end observation", "end a committed ", "collect"])
        #expect(device.machine.history.good.map(\.version) == [Device.one])
    }

    @Test(
        "before the switch a failure touches nothing that runs",
        arguments: zip(0..<4, ["download-failed", "verification-failed", "unpack-failed", "tree-damaged"]))
    func failsBefore(steps: Int, code: String) {
        var device = Device()
        device.deploy("a", Device.one)
        _ = device.request("b", .deploy(Device.two))
        for step in 0..<steps { device.finish(step == 2 ? .unpacked(Device.terms) : .done) }
        #expect(device.finish(.failed("no")) == ["persist failed", "end b failed \(code)", "collect"])
        #expect(device.current == Device.one)
        #expect(device.wait(.zero) == [])
    }

    @Test(
        "what fails in probation is taken back",
        arguments: ["crash-loop", "not-ready", "self-test-failed", "unhealthy"]
    )
    func takenBack(code: String) {
        var device = Device()
        device.deploy("a", Device.one)
        var terms = Device.terms
        if code == "self-test-failed" { terms.selfTestWithin = .seconds(3) }
        device.start("b", Device.two, terms)
        let actions: [String]
        switch code {
        case "crash-loop": actions = device.say(.healthChanged(.failed("it crashes")))
        case "not-ready": actions = device.wait(.seconds(5))
        case "self-test-failed":
            #expect(device.say(.healthChanged(.well)) == ["selfTest(2@b)"])
            actions = device.finish(.failed("no"))
        default:
            for _ in 0..<9 {
                device.say(.healthChanged(.well))
                device.wait(.seconds(3))
                device.say(.healthChanged(.incomplete))
                device.wait(.milliseconds(800))
            }
            device.say(.healthChanged(.well))
            actions = device.wait(.seconds(3))
        }
        #expect(actions == ["end observation", "persist reverting", "report reverting", "checkTree(1@a)"])
        #expect(device.finish() == ["switchTo((1@a))"])
        #expect(device.finish() == ["apply((1@a))"])
        #expect(device.finish() == ["observe 1@a"])
        #expect(
            device.say(.healthChanged(.well)) == [
                "persist rolled_back", "end observation", "end b rolled_back \(code)", "collect",
            ])
        #expect(device.machine.history.good.map(\.version) == [Device.one])
    }

    @Test("a version gone back to that is no good is left for an older one, and the last for none")
    func ever() {
        var device = Device()
        device.deploy("a", Device.one)
        device.deploy("b", Device.two)
        device.start("c", Device.three)
        #expect(device.say(.healthChanged(.failed("x"))).last == "checkTree(2@b)")
        #expect(device.finish(.failed("rot")).last == "checkTree(1@a)")
        #expect(device.finish() == ["switchTo((1@a))"])
        device.finish()
        device.finish()
        #expect(device.say(.healthChanged(.failed("x"))).last == "switchTo(nil)")
        #expect(device.finish() == ["apply(nil)"])
        #expect(device.finish() == ["persist failed", "end c failed nothing-left", "collect"])
        #expect(device.current == nil)
    }

    @Test("a version that takes the machine down is given up after three times")
    func takesDown() {
        var device = Device()
        device.deploy("a", Device.one)
        device.start("b", Device.two)
        #expect(device.cut() == ["persist probation", "report probation", "apply((2@b))"])
        #expect(device.cut() == ["persist probation", "report probation", "apply((2@b))"])
        #expect(device.cut() == ["persist reverting", "report reverting", "checkTree(1@a)"])
        #expect(device.machine.record?.reason?.code == .tooManyAttempts)
    }

    @Test("a power cut before the switch leaves what runs, and the same request begins anew")
    func cutBefore() {
        var device = Device()
        device.deploy("a", Device.one)
        _ = device.request("b", .deploy(Device.two))
        device.finish()
        #expect(device.cut() == ["persist failed", "end b failed interrupted", "collect"])
        #expect(device.wait(.zero) == [])
        #expect(device.request("b", .deploy(Device.two)).last == "download(2@b)")
    }

    @Test("a power cut between the switch and its record goes on with probation")
    func cutAfterSwitch() {
        var device = Device()
        device.deploy("a", Device.one)
        _ = device.request("b", .deploy(Device.two))
        device.finish()
        device.finish()
        device.finish(.unpacked(Device.terms))
        device.finish()
        device.current = Device.two
        #expect(device.cut() == ["persist probation", "report probation", "apply((2@b))"])
    }

    @Test("the same id again gets the same answer, also when something newer was done since")
    func repeated() {
        var device = Device()
        device.deploy("a", Device.one)
        device.deploy("b", Device.two)
        #expect(device.request("b", .deploy(Device.two)) == ["end b committed "])
        #expect(device.request("a", .deploy(Device.one)) == ["end a committed "])
        device.cut()
        #expect(device.request("a", .deploy(Device.one)) == ["end a committed "])
    }

    @Test("something newer takes the place of what is under way; what runs unproven is judged when that fails")
    func superseded() {
        var device = Device()
        device.deploy("a", Device.one)
        device.start("b", Device.two)
        #expect(
            device.request("c", .deploy(Device.three)) == [
                "end observation", "persist downloading", "end b failed superseded", "report downloading",
                "download(3@c)",
            ])
        #expect(device.finish(.failed("404")) == ["persist failed", "end c failed download-failed", "collect"])
        #expect(device.wait(.zero) == ["persist probation", "report probation", "apply((2@b))"])
    }

    @Test("who asks while the switch is made waits for it")
    func waits() {
        var device = Device()
        device.deploy("a", Device.one)
        _ = device.request("b", .deploy(Device.two))
        device.finish()
        device.finish()
        device.finish(.unpacked(Device.terms))
        device.finish()
        let step = device.actions
        #expect(device.request("c", .deploy(Device.three)) == [])
        #expect(device.request("d", .rollback(to: nil)) == ["end c failed superseded"])
        device.current = Device.two
        for case .perform(_, let token) in step { device.say(.finished(token: token, .done)) }
        #expect(device.finish() == ["observe 2@b"])
        #expect(device.wait(.zero).last == "checkTree(1@a)")
        #expect(device.machine.record?.id == "d")
    }

    @Test("data that cannot go back keeps a version where it is, unless it is forced")
    func irreversible() {
        var device = Device()
        device.deploy("a", Device.one)
        var terms = Device.terms
        terms.isReversible = false
        device.start("b", Device.two, terms)
        #expect(
            device.say(.healthChanged(.failed("it crashes"))) == [
                "end observation", "persist failed", "end b failed cannot-go-back",
            ])
        #expect(device.current == Device.two)
        #expect(device.wait(.zero) == [])
        #expect(device.request("c", .rollback(to: nil)) == ["end c failed cannot-go-back"])
        #expect(device.request("d", .rollback(to: nil), isForced: true).last == "checkTree(1@a)")
    }

    @Test("a good version that crashes later is left once, and barred")
    func crashesLate() {
        var device = Device()
        device.deploy("a", Device.one)
        device.deploy("b", Device.two)
        device.deploy("c", Device.three)
        #expect(device.say(.crashLooped("late")).last == "checkTree(2@b)")
        device.finish()
        device.finish()
        device.finish()
        device.say(.healthChanged(.well))
        #expect(device.current == Device.two)
        #expect(device.wait(.zero) == [])
        #expect(device.say(.crashLooped("late")) == [])
        #expect(device.request("d", .deploy(Device.three)) == ["end d failed barred"])
        #expect(device.request("e", .deploy(Device.three), isForced: true).last == "download(3@c)")
    }

    @Test("success that cannot be written is not told; it is tried again, then taken back")
    func cannotBeWritten() {
        var device = Device()
        device.deploy("a", Device.one)
        device.start("b", Device.two)
        device.say(.healthChanged(.well))
        #expect(device.wait(.seconds(10)).first == "persist committed")
        #expect(device.say(.persistFailed("no space")) == [])
        #expect(device.machine.record?.state == .probation)
        #expect(device.wait(.seconds(5)).first == "persist committed")
        for _ in 0..<4 {
            #expect(device.say(.persistFailed("no space")) == [])
            #expect(device.wait(.seconds(5)).first == "persist committed")
        }
        #expect(device.say(.persistFailed("no space")).contains("persist reverting"))
        #expect(device.say(.persistFailed("no space")) == ["report reverting", "checkTree(1@a)"])
    }

    @Test("heat does not count against a version, nor for it")
    func suspended() {
        var device = Device()
        device.deploy("a", Device.one)
        device.start("b", Device.two)
        device.say(.healthChanged(.well))
        device.now = device.now + .seconds(4)
        device.say(.healthChanged(.suspended))
        #expect(device.machine.deadline == nil)
        #expect(device.wait(.seconds(3600)) == [])
        device.say(.healthChanged(.well))
        #expect(device.wait(.seconds(5)) == [])
        #expect(device.wait(.seconds(1)).first == "persist committed")
    }

    @Test("called off: before the switch nothing changes, after it the old version comes back")
    func cancelled() {
        var device = Device()
        device.deploy("a", Device.one)
        _ = device.request("b", .deploy(Device.two))
        #expect(device.say(.cancelled(id: "b")) == ["abandon", "persist failed", "end b failed cancelled", "collect"])
        device.wait(.zero)
        device.start("c", Device.two)
        #expect(device.say(.cancelled(id: "c")).contains("persist reverting"))
    }

    @Test("what is current and damaged is replaced at the start")
    func damaged() {
        var device = Device()
        device.deploy("a", Device.one)
        device.deploy("b", Device.two)
        #expect(device.cut(intact: [Device.one]).last == "checkTree(1@a)")
    }

    @Test("the promises hold in random lives", arguments: 0..<4)
    func lives(slice: UInt64) {
        #expect(DeploymentSweep(first: slice * 25, count: 25).run())
    }
}
