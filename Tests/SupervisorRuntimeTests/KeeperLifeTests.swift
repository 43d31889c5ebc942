import MonotonicTime
import SeededRandom
import Testing

@testable import SupervisorRuntime

@Suite(.timeLimit(.minutes(1))) struct KeeperLifeTests {
    private var life = KeeperLife()
    private var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)

    private mutating func handle(_ event: KeeperLife.Event, after wait: Duration = .zero) -> [KeeperLife.Action] {
        now = now + wait
        return life.handle(event, at: now)
    }

    private mutating func startUp() {
        #expect(handle(.wanted) == [.start])
        #expect(handle(.ready) == [.brief])
    }

    @Test mutating func `it is started once, however many ask, and told what there is when it is ready`() {
        #expect(life.nextDeadline == nil)
        #expect(handle(.wanted) == [.start])
        #expect(handle(.wanted) == [])
        #expect(!life.isReady && life.isAlive)
        #expect(handle(.ready) == [.brief])
        #expect(handle(.ready) == [])
        #expect(life.isReady)
        #expect(life.nextDeadline == nil, "one that works is waited for")
    }

    @Test mutating func `it goes a moment after it has said that nothing is under way`() {
        startUp()
        #expect(handle(.idle(heard: 0)) == [])
        #expect(life.nextDeadline == now + KeeperLife.linger)
        #expect(handle(.deadlineReached(hasOrders: false), after: KeeperLife.linger) == [.closeChannel])
        #expect(!life.isReady)
        #expect(handle(.ended(hasOrders: false)) == [])
        #expect(life.phase == .absent)
        #expect(life.nextDeadline == nil)
    }

    @Test mutating func `what was said to it meanwhile keeps it, and so does what it does`() {
        startUp()
        _ = handle(.sent)
        // The word has crossed with what was said to it.
        _ = handle(.idle(heard: 0))
        #expect(life.nextDeadline == nil)
        _ = handle(.idle(heard: 1))
        #expect(life.nextDeadline == now + KeeperLife.linger, "that was its answer")
        _ = handle(.sent)
        #expect(life.nextDeadline == nil)
        _ = handle(.idle(heard: 2))
        _ = handle(.active)
        #expect(life.nextDeadline == nil)
        _ = handle(.idle(heard: 2), after: .seconds(100))
        #expect(handle(.deadlineReached(hasOrders: true), after: KeeperLife.linger) == [], "an end is still to be told")
        #expect(life.isReady)
        #expect(handle(.deadlineReached(hasOrders: false), after: KeeperLife.patience) == [.closeChannel])
    }

    @Test mutating func `who asks while it leaves gets the next one; one that does not leave is killed`() {
        startUp()
        _ = handle(.idle(heard: 0))
        _ = handle(.deadlineReached(hasOrders: false), after: KeeperLife.linger)
        _ = handle(.wanted)
        #expect(handle(.deadlineReached(hasOrders: false), after: KeeperLife.longestGoodbye) == [.kill])
        #expect(life.nextDeadline == nil)
        #expect(handle(.ended(hasOrders: false)) == [.start])
    }

    @Test mutating func `when it dies it is started at once, then after waits that double up to a minute`() {
        _ = handle(.wanted)
        #expect(handle(.ended(hasOrders: false)) == [.start])
        for wait in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            #expect(handle(.ended(hasOrders: true)) == [])
            #expect(handle(.wanted) == [], "nobody shortens the wait")
            #expect(life.nextDeadline == now + .seconds(wait))
            #expect(handle(.deadlineReached(hasOrders: true), after: .seconds(wait)) == [.start])
        }
        // A minute as a ready process is what it takes.
        _ = handle(.ready)
        #expect(handle(.ended(hasOrders: true), after: .seconds(59)) == [])
        _ = handle(.deadlineReached(hasOrders: true), after: .seconds(60))
        _ = handle(.ready)
        #expect(handle(.ended(hasOrders: true), after: .seconds(60)) == [.start])
        #expect(handle(.ended(hasOrders: true)) == [])
        #expect(life.nextDeadline == now + .seconds(1))
    }

    @Test mutating func `one that cannot be started at all is tried again, not at once`() {
        _ = handle(.wanted)
        #expect(handle(.notStarted) == [])
        #expect(life.nextDeadline == now + .seconds(1))
        #expect(handle(.deadlineReached(hasOrders: false), after: .seconds(1)) == [.start])
        _ = handle(.notStarted)
        #expect(life.nextDeadline == now + .seconds(2))
    }

    @Test mutating func `one that never gets ready is killed, and replaced`() {
        _ = handle(.wanted)
        #expect(handle(.deadlineReached(hasOrders: true), after: KeeperLife.longestStart) == [.kill])
        #expect(handle(.ended(hasOrders: true)) == [.start])
    }

    @Test
    mutating func `one that ends by itself when nothing is under way is not missed, unless something was asked for`() {
        startUp()
        _ = handle(.idle(heard: 0))
        #expect(life.mayEnd)
        #expect(handle(.ended(hasOrders: false)) == [])
        #expect(life.phase == .absent)
        startUp()
        _ = handle(.idle(heard: 0))
        #expect(handle(.ended(hasOrders: true)) == [.start])
    }

    @Test mutating func `while the runtime stops none is started; should it go on, what was killed is replaced`() {
        startUp()
        #expect(handle(.stopRequested) == [.kill])
        #expect(handle(.stopRequested) == [])
        #expect(handle(.wanted) == [])
        #expect(life.nextDeadline == nil)
        #expect(handle(.resumed) == [])
        #expect(handle(.ended(hasOrders: true)) == [.start])
        _ = handle(.stopRequested)
        #expect(handle(.ended(hasOrders: true)) == [])
        #expect(handle(.resumed) == [])
        #expect(handle(.wanted) == [.start])
    }

    /// Whatever happens in whatever order: at most one process, none while the runtime stops, and nobody who asks waits for ever.
    @Test(arguments: 0..<200)
    mutating func `random lives keep to the rules`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var isAlive = false
        var isStopped = false
        for _ in 0..<300 {
            let event: KeeperLife.Event
            switch Int.random(in: 0..<10, using: &random) {
            case 0: event = .wanted
            case 1 where isAlive: event = .ready
            case 2 where life.isReady: event = .sent
            case 3 where isAlive: event = .active
            case 4 where isAlive: event = .idle(heard: Int.random(in: 0..<200, using: &random))
            case 5 where isAlive: event = .ended(hasOrders: Bool.random(using: &random))
            case 6 where !isStopped && Int.random(in: 0..<10, using: &random) == 0: event = .stopRequested
            case 7 where isStopped: event = .resumed
            case 8...:
                guard let deadline = life.nextDeadline else { continue }
                now = max(now, deadline)
                event = .deadlineReached(hasOrders: Bool.random(using: &random))
            default: continue
            }
            if case .ended = event { isAlive = false }
            if event == .stopRequested { isStopped = true }
            if event == .resumed { isStopped = false }
            for action in life.handle(event, at: now) {
                if action == .start {
                    #expect(!isAlive && !isStopped)
                    isAlive = Int.random(in: 0..<4, using: &random) > 0
                    if !isAlive { _ = life.handle(.notStarted, at: now) }
                }
                if action == .kill || action == .closeChannel { #expect(isAlive) }
            }
            #expect(life.isAlive == isAlive)
            if event == .wanted, !isStopped { #expect(life.phase != .absent) }
            if case .waiting = life.phase { #expect(life.nextDeadline != nil) }
        }
    }
}
