import MonotonicTime

/// When the keeper of deployments is started, and when it may go. It is there while there is something to do, or somebody asks, and
/// no longer. Pure.
struct KeeperLife: Equatable {
    enum Phase: Equatable {
        case absent
        /// It looks at its store, which takes as long as what was left there.
        case starting(until: MonotonicInstant)
        case ready
        /// It has said that nothing is under way, and goes when that is still so.
        case idle(until: MonotonicInstant)
        /// Nobody listens to it any more, which it sees.
        case leaving(until: MonotonicInstant?, isWanted: Bool)
        /// It could not be started, or died.
        case waiting(until: MonotonicInstant)
        /// The runtime stops.
        case stopped(isAlive: Bool)
    }

    enum Event: Equatable {
        /// Somebody asks for something, or there is something to be said to it.
        case wanted
        case ready
        /// Something was said to it.
        case sent
        /// It has begun something, or goes on with it.
        case active
        /// - heard: so many of the things that were said to it.
        case idle(heard: Int)
        /// - hasOrders: somebody waits for the end of a deployment.
        case ended(hasOrders: Bool)
        case notStarted
        case deadlineReached(hasOrders: Bool)
        case stopRequested
        /// The runtime goes on after all.
        case resumed
    }

    enum Action: Equatable {
        case start
        /// It is ready: say what there is to be said.
        case brief
        case closeChannel
        case kill
    }

    static let longestStart: Duration = .seconds(600)
    /// Whoever asks twice gets the same process.
    static let linger: Duration = .milliseconds(200)
    /// For one that says it is idle and has not told the end of something.
    static let patience: Duration = .seconds(10)
    static let longestGoodbye: Duration = .seconds(10)
    static let firstWait: Duration = .seconds(1)
    static let longestWait: Duration = .seconds(60)
    /// After so long a time as a ready process its failures are forgotten.
    static let stableAfter: Duration = .seconds(60)

    private(set) var phase: Phase = .absent
    private var failures = 0
    private var readySince: MonotonicInstant?
    /// To this process.
    private var said = 0

    /// Whether it takes orders now.
    var isReady: Bool {
        switch phase {
        case .ready, .idle: true
        case .absent, .starting, .leaving, .waiting, .stopped: false
        }
    }

    /// Whether there is a process.
    var isAlive: Bool {
        switch phase {
        case .starting, .ready, .idle, .leaving, .stopped(isAlive: true): true
        case .absent, .waiting, .stopped(isAlive: false): false
        }
    }

    /// Whether its end is no surprise.
    var mayEnd: Bool {
        switch phase {
        case .idle, .leaving, .stopped: true
        case .absent, .starting, .ready, .waiting: false
        }
    }

    var isStopped: Bool { if case .stopped = phase { true } else { false } }

    /// When to say `deadlineReached`.
    var nextDeadline: MonotonicInstant? {
        switch phase {
        case .starting(let until), .idle(let until), .waiting(let until): until
        case .leaving(let until, _): until
        case .absent, .ready, .stopped: nil
        }
    }

    mutating func handle(_ event: Event, at now: MonotonicInstant) -> [Action] {
        switch event {
        case .wanted: wanted(at: now)
        case .ready: ready(at: now)
        case .sent: sent()
        case .active: active()
        case .idle(let heard): idle(heard, at: now)
        case .ended(let hasOrders): ended(hasOrders, at: now)
        case .notStarted: notStarted(at: now)
        case .deadlineReached(let hasOrders): deadlineReached(hasOrders, at: now)
        case .stopRequested: stop()
        case .resumed: resume()
        }
    }

    // MARK: Events

    private mutating func wanted(at now: MonotonicInstant) -> [Action] {
        switch phase {
        case .absent: return start(at: now)
        case .leaving(let until, _):
            phase = .leaving(until: until, isWanted: true)
            return []
        case .starting, .ready, .idle, .waiting, .stopped: return []
        }
    }

    private mutating func ready(at now: MonotonicInstant) -> [Action] {
        guard case .starting = phase else { return [] }
        phase = .ready
        readySince = now
        return [.brief]
    }

    private mutating func sent() -> [Action] {
        said += 1
        return active()
    }

    private mutating func active() -> [Action] {
        if case .idle = phase { phase = .ready }
        return []
    }

    private mutating func idle(_ heard: Int, at now: MonotonicInstant) -> [Action] {
        // It says so again when it has heard the rest.
        guard phase == .ready, heard >= said else { return [] }
        phase = .idle(until: now + Self.linger)
        return []
    }

    private mutating func ended(_ hasOrders: Bool, at now: MonotonicInstant) -> [Action] {
        defer {
            readySince = nil
            said = 0
        }
        switch phase {
        case .leaving(_, isWanted: false),
            .idle where !hasOrders:
            phase = .absent
            failures = 0
            return []
        case .leaving: return start(at: now)
        case .starting, .ready, .idle: return startAgain(at: now)
        case .stopped:
            phase = .stopped(isAlive: false)
            return []
        case .absent, .waiting: return []
        }
    }

    private mutating func notStarted(at now: MonotonicInstant) -> [Action] {
        guard case .starting = phase else { return [] }
        // Whatever kept it from being started does not go at once.
        failures = max(failures, 1)
        return startAgain(at: now)
    }

    private mutating func deadlineReached(_ hasOrders: Bool, at now: MonotonicInstant) -> [Action] {
        guard let nextDeadline, nextDeadline <= now else { return [] }
        switch phase {
        case .starting:
            phase = .starting(until: now + Self.longestStart)
            return [.kill]
        case .idle where hasOrders:
            // It has not told the end of something that it was asked for.
            phase = .idle(until: now + Self.patience)
            return []
        case .idle:
            phase = .leaving(until: now + Self.longestGoodbye, isWanted: false)
            return [.closeChannel]
        case .leaving(_, let isWanted):
            phase = .leaving(until: nil, isWanted: isWanted)
            return [.kill]
        case .waiting: return start(at: now)
        case .absent, .ready, .stopped: return []
        }
    }

    private mutating func stop() -> [Action] {
        guard !isStopped else { return [] }
        let wasAlive = isAlive
        phase = .stopped(isAlive: wasAlive)
        return wasAlive ? [.kill] : []
    }

    private mutating func resume() -> [Action] {
        guard case .stopped(let isAlive) = phase else { return [] }
        // What was killed is started again when it is gone.
        phase = isAlive ? .leaving(until: nil, isWanted: true) : .absent
        return []
    }

    // MARK: Starting

    private mutating func start(at now: MonotonicInstant) -> [Action] {
        phase = .starting(until: now + Self.longestStart)
        return [.start]
    }

    private mutating func startAgain(at now: MonotonicInstant) -> [Action] {
        if let readySince, readySince.duration(to: now) >= Self.stableAfter { failures = 0 }
        defer { failures += 1 }
        guard failures > 0 else { return start(at: now) }
        // Beyond 2 to the 6th it is the longest one anyhow.
        let wait = min(Self.firstWait * (1 << min(failures - 1, 6)), Self.longestWait)
        phase = .waiting(until: now + wait)
        return []
    }
}
