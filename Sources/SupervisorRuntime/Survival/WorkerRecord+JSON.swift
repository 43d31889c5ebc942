import ControlProtocol
import MonotonicTime
import Supervision

extension WorkerRecord {
    /// Without what `resumed` sets anew: deadlines, and how far a stop had got.
    var stateText: [UInt8] {
        var writer = StateWriter()
        writer.add("name", name)
        writer.add("launch", launch.digest)
        writer.add("watchdog_ns", watchdog)
        writer.add("phase", StateText.text(phase))
        switch phase {
        case .backingOff(let until): writer.add("until", until)
        case .failed(let retryAt): writer.add("until", retryAt)
        case .stopping(_, let stop): writer.add("stop", object: stop.stateText)
        case .starting, .running, .ready, .paused, .stopped, .waiting, .held, .finished: break
        }
        if let live = phase.instance { writer.add("live", object: live.stateText) }
        writer.add("unwanted", !isWanted)
        writer.add("pauses", texts: pauseReasons.sorted().map(\.rawValue))
        if failures > 0 { writer.add("failures", Int64(failures)) }
        writer.add("owes_restart", owesRestart)
        writer.add("not_before", notBefore)
        writer.add("skips_gate", skipsGate)
        writer.add("broken_since", brokenSince)
        if restarts > 0 { writer.add("restarts", Int64(restarts)) }
        writer.add("last_exit", lastExit.map(StateText.text))
        writer.add("last_failure", lastFailure.map(StateText.text))
        writer.add("last_failure_detail", lastFailure.flatMap(StateText.detail))
        writer.add("departing", isDeparting)
        if let stopPlan { writer.add("stop_plan", object: stopPlan.stateText) }
        if let watchdogSignal { writer.add("watchdog_signal", Int64(watchdogSignal.rawValue)) }
        return writer.object
    }

    init(stateJSON json: JSONValue) throws(JSONError) {
        let reader = StateReader(json: json)
        self.init(name: try reader.text("name"))
        launch = LaunchFingerprint(try reader.text("launch"))
        watchdog = try reader.optionalDuration("watchdog_ns")
        phase = try WorkerPhase(stateJSON: reader)
        isWanted = !(try reader.flag("unwanted"))
        // A reason that only a newer version knows is one that nobody here could take back.
        pauseReasons = Set(try reader.texts("pauses").compactMap(PauseReason.init(rawValue:)))
        failures = try reader.optionalInteger("failures") ?? 0
        owesRestart = try reader.flag("owes_restart")
        notBefore = try reader.optionalInstant("not_before")
        skipsGate = try reader.flag("skips_gate")
        brokenSince = try reader.optionalInstant("broken_since")
        restarts = try reader.optionalInteger("restarts") ?? 0
        lastExit = try reader.optionalWord("last_exit", StateText.exit)
        let known = try reader.optionalWord("last_failure") { StateText.cause($0) }
        lastFailure = try reader.detailedCause("last_failure_detail") ?? known
        isDeparting = try reader.flag("departing")
        stopPlan = try json["stop_plan"].map { plan throws(JSONError) in
            try StopPlan(stateJSON: StateReader(json: plan))
        }
        watchdogSignal = try reader.optionalInteger("watchdog_signal").flatMap { Int32(exactly: $0) }.map(
            Signal.init(rawValue:))
    }
}

extension WorkerPhase {
    fileprivate init(stateJSON reader: StateReader) throws(JSONError) {
        func live() throws(JSONError) -> LiveInstance {
            try LiveInstance(stateJSON: StateReader(json: reader.json["live"] ?? .null))
        }
        switch try reader.word("phase", WorkerState.init(rawValue:)) {
        case .stopped: self = .stopped
        case .waiting: self = .waiting
        case .held: self = .held
        case .starting: self = .starting(try live())
        case .running: self = .running(try live())
        case .ready: self = .ready(try live())
        case .paused: self = .paused(try live())
        case .stopping:
            self = .stopping(try live(), try Stop(stateJSON: StateReader(json: reader.json["stop"] ?? .null)))
        case .backingOff: self = .backingOff(until: try reader.instant("until"))
        case .failed: self = .failed(retryAt: try reader.optionalInstant("until"))
        case .finished: self = .finished
        }
    }
}

extension LiveInstance {
    fileprivate var stateText: [UInt8] {
        var writer = StateWriter()
        writer.add("instance", id.rawValue)
        writer.add("spawned_at", spawnedAt)
        writer.add("was_ready", wasReady)
        writer.add("announced_stop", hasAnnouncedStop)
        writer.add("watchdog_ns", watchdogPeriod)
        writer.add("until_stable_ns", stabilityRemaining)
        writer.add("checkpoints", texts: checkpoints.map(\.name))
        return writer.object
    }

    fileprivate init(stateJSON reader: StateReader) throws(JSONError) {
        let spawnedAt = try reader.instant("spawned_at")
        self.init(
            id: InstanceID(rawValue: UInt64(bitPattern: Int64(try reader.integer("instance")))), spawnedAt: spawnedAt,
            wasReady: try reader.flag("was_ready"), hasAnnouncedStop: try reader.flag("announced_stop"),
            startDeadline: spawnedAt,
            watchdogPeriod: try reader.optionalDuration("watchdog_ns"),
            stabilityRemaining: .nanoseconds(Int64(try reader.integer("until_stable_ns"))))
        checkpoints = try reader.texts("checkpoints").sorted().map { Checkpoint($0) }
    }
}

extension StopPlan {
    fileprivate var stateText: [UInt8] {
        var writer = StateWriter()
        writer.add("steps", objects: steps.map(\.stateText))
        writer.add("kill_grace_ns", killGrace)
        return writer.object
    }

    fileprivate init(stateJSON reader: StateReader) throws(JSONError) {
        self.init(
            steps: try reader.stopSteps(), killGrace: .nanoseconds(Int64(try reader.integer("kill_grace_ns"))))
    }
}

extension StopPlan.Step {
    fileprivate var stateText: [UInt8] {
        var writer = StateWriter()
        writer.add("signal", Int64(signal.rawValue))
        writer.add("grace_ns", grace)
        return writer.object
    }
}

extension StateReader {
    /// A failure by its detail; `nil` when there is none that this version knows.
    fileprivate func detailedCause(_ key: String) throws(JSONError) -> FailureCause? {
        json[key] == nil ? nil : StateText.cause(fromDetail: try text(key))
    }

    fileprivate func stopSteps() throws(JSONError) -> [StopPlan.Step] {
        try list("steps").map { json throws(JSONError) in
            let step = StateReader(json: json)
            guard let signal = Int32(exactly: try step.integer("signal")) else {
                throw JSONError(.numberOutOfRange, at: "signal", "is no signal")
            }
            return StopPlan.Step(
                signal: Signal(rawValue: signal), grace: .nanoseconds(Int64(try step.integer("grace_ns"))))
        }
    }
}

extension Stop {
    fileprivate var stateText: [UInt8] {
        var writer = StateWriter()
        writer.add("purpose", StateText.text(purpose))
        if case .failure(let cause) = purpose { writer.add("purpose_detail", StateText.detail(cause)) }
        writer.add("requested_too", isRequestedToo)
        writer.add("begun_at", begunAt)
        writer.add("steps", objects: steps.map(\.stateText))
        writer.add("kill_grace_ns", killGrace)
        writer.add("exit", exit.map(StateText.text))
        writer.add("ended_at", endedAt)
        return writer.object
    }

    fileprivate init(stateJSON reader: StateReader) throws(JSONError) {
        let begunAt = try reader.instant("begun_at")
        let known = try reader.word("purpose", StateText.purpose)
        let purpose = try reader.detailedCause("purpose_detail").map { Stop.Purpose.failure($0) } ?? known
        self.init(
            purpose: purpose, isRequestedToo: try reader.flag("requested_too"),
            begunAt: begunAt, steps: try reader.stopSteps(),
            killGrace: .nanoseconds(Int64(try reader.integer("kill_grace_ns"))), deadline: begunAt,
            exit: try reader.optionalWord("exit", StateText.exit), endedAt: try reader.optionalInstant("ended_at"))
    }
}
