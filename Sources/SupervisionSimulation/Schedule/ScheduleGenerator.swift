import Supervision

extension Schedule {
    /// The schedule of a seed. Each seed draws its own mixture (calm or stormy, with or without reloads, all times on
    /// a grid or not), so that rare combinations get seeds in which they are common.
    /// - Parameter withDeaths: whether the supervisor may die, if the seed says so.
    package static func generated(seed: UInt64, withDeaths: Bool = true) -> Schedule {
        var random = SimulationRandom(seed: seed)
        let onGrid = random.chance(35)
        let gridMilliseconds = onGrid ? random.pick([100, 500]) : 1
        var generator = TreeGenerator(
            random: SimulationRandom(seed: seed, stream: 1), gridMilliseconds: gridMilliseconds)
        let tree = generator.tree()
        var schedule = Schedule(
            seed: seed, tree: tree, stimuli: [], faultsEnd: random.milliseconds(8_000...45_000),
            faultRate: random.pick([0, 20, 50, 70, 90]), grid: onGrid ? .milliseconds(gridMilliseconds) : nil,
            liftsPausesAtEnd: random.chance(60), shutsDownAtEnd: random.chance(50))
        schedule.addStimuli(&random, &generator)
        if withDeaths, hasDeaths(seed: seed) { schedule.addDeaths(generator) }
        return schedule
    }

    private mutating func addStimuli(_ random: inout SimulationRandom, _ generator: inout TreeGenerator) {
        let count = random.pick([0, 5, 15, 40, 80])
        let mixture = Mixture(&random)
        var offsets = (0..<count).map { _ in offset(&random) }
        offsets.sort()
        var current = tree
        var names = current.workerNames
        for offset in offsets {
            let stimulus: Stimulus
            switch mixture.draw(&random) {
            case .operatorRequest:
                stimulus = .operatorRequest(random.pick(names), random.pick(OperatorRequest.allCases))
            case .pause:
                let (name, reason) = (random.pick(names), random.pick(PauseReason.allCases))
                stimulus = .pause(name, reason)
                if random.chance(50) { addResume(name, reason, after: offset, &random) }
            case .resume: stimulus = .resume(random.pick(names), random.pick(PauseReason.allCases))
            case .reload:
                current = generator.mutated(current)
                names = Array(Set(names).union(current.workerNames)).sorted()
                stimulus = .reload(current)
            case .stall: stimulus = .stall(random.milliseconds(10...9_000))
            case .early: stimulus = .earlyDeadline
            case .repeated: stimulus = .repeatedEvent(random.next())
            case .stray: stimulus = .strayEvent(random.next())
            }
            stimuli.append(TimedStimulus(offset: offset, stimulus: stimulus))
        }
        // Stable: those of one instant stay in the order in which they were drawn.
        stimuli.sort { $0.offset < $1.offset }
        if random.chance(20) {
            let shutdown = TimedStimulus(offset: offset(&random), stimulus: .shutdown)
            let place = stimuli.firstIndex { $0.offset > shutdown.offset } ?? stimuli.count
            stimuli.insert(shutdown, at: place)
        }
    }

    /// A pause of a few seconds, within which clocks and stability times of the worker would run out.
    private mutating func addResume(
        _ name: String, _ reason: PauseReason, after offset: Duration, _ random: inout SimulationRandom
    ) {
        let end = min(offset + random.milliseconds(200...9_000), faultsEnd)
        stimuli.append(TimedStimulus(offset: end, stimulus: .resume(name, reason)))
    }

    /// Before the start in a few cases, else spread over the time of faults.
    private func offset(_ random: inout SimulationRandom) -> Duration {
        let drawn = random.milliseconds(-200...Int(faultsEnd.inMilliseconds))
        guard let grid, random.chance(70) else { return drawn }
        return .milliseconds(drawn.inMilliseconds / grid.inMilliseconds * grid.inMilliseconds)
    }
}

/// How often which kind of stimulus comes, drawn for each seed.
private struct Mixture {
    enum Kind: CaseIterable { case operatorRequest, pause, resume, reload, stall, early, repeated, stray }

    private var weights: [Int]

    init(_ random: inout SimulationRandom) {
        weights = Kind.allCases.map { _ in random.pick([0, 1, 1, 3, 8]) }
        weights[7] += 1
    }

    func draw(_ random: inout SimulationRandom) -> Kind {
        var left = random.below(weights.reduce(0, +))
        for (kind, weight) in zip(Kind.allCases, weights) {
            if left < weight { return kind }
            left -= weight
        }
        return .stray
    }
}

extension SupervisorSpecification {
    /// All workers below this supervisor in tree order.
    var workerNames: [String] {
        children.flatMap { child in
            switch child {
            case .worker(let worker): [worker.name]
            case .supervisor(let supervisor): supervisor.workerNames
            }
        }
    }
}

extension Duration {
    /// Whole milliseconds, rounded towards zero.
    var inMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
