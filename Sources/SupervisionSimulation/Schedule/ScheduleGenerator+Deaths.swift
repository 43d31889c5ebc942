import Supervision

/// Every second seed has deaths of the supervisor in its schedule. They are drawn from streams of their own: without
/// them, a schedule is what it would be if nobody had ever thought of them.
extension Schedule {
    static func hasDeaths(seed: UInt64) -> Bool { seed % 2 == 1 }

    /// - Parameter generator: as it was left by the drawing of everything else.
    mutating func addDeaths(_ generator: TreeGenerator) {
        var random = SimulationRandom(seed: seed, stream: 5)
        var generator = generator
        generator.random = SimulationRandom(seed: seed, stream: 6)
        var deaths: [TimedStimulus] = []
        for _ in 0..<random.pick([1, 1, 2, 3, 6]) {
            let death = drawnDeath(&random)
            let offset = min(deathOffset(&random, after: deaths.last), faultsEnd)
            deaths.append(TimedStimulus(offset: offset, stimulus: .death(death)))
        }
        deaths.sort { $0.offset < $1.offset }
        // A death comes before what happens at the same instant, so that this falls into its wake-up.
        stimuli = deaths + stimuli
        stimuli.sort { $0.offset < $1.offset }
        changeConfigurations(&random, &generator)
    }

    private func drawnDeath(_ random: inout SimulationRandom) -> SupervisorDeath {
        SupervisorDeath(
            moment: random.pick([.asleep, .nextWakeUp, .nextWakeUp, .nextWork, .nextWork, .nextWork]),
            ordersPerformed: random.chance(50) ? random.below(8) : nil,
            recordedAfter: random.chance(20) ? random.below(6) : nil,
            stage: random.pick(SupervisorDeath.Stage.allCases),
            stall: random.chance(30) ? random.milliseconds(10...3_000) : .zero,
            gap: drawnGap(&random),
            keepsDescriptors: random.chance(50), victim: random.chance(40) ? random.next() : nil,
            replaced: random.chance(10) ? random.next() : nil)
    }

    private func drawnGap(_ random: inout SimulationRandom) -> Duration {
        switch random.below(4) {
        case 0: .zero
        case 1: random.milliseconds(1...50)
        case 2: random.milliseconds(50...1_000)
        default: random.milliseconds(1_000...12_000)
        }
    }

    /// Anywhere; or together with, or shortly after, another stimulus; or soon after the death before, so that it strikes
    /// the next supervisor at its first steps.
    private func deathOffset(_ random: inout SimulationRandom, after former: TimedStimulus?) -> Duration {
        let anywhere = random.milliseconds(0...Int(faultsEnd.inMilliseconds))
        switch random.below(10) {
        case 0...3: return anywhere
        case 4...7:
            guard !stimuli.isEmpty else { return anywhere }
            return random.pick(stimuli).offset + (random.chance(50) ? .zero : random.milliseconds(0...200))
        default: return former.map { $0.offset + random.milliseconds(0...300) } ?? anywhere
        }
    }

    /// In one of four gaps somebody changes the configuration.
    private mutating func changeConfigurations(_ random: inout SimulationRandom, _ generator: inout TreeGenerator) {
        var current = tree
        for index in stimuli.indices {
            switch stimuli[index].stimulus {
            case .reload(let specification): current = specification
            case .death(var death):
                guard random.chance(25) else { continue }
                current = generator.mutated(current)
                death.configuration = current
                stimuli[index].stimulus = .death(death)
            case .operatorRequest, .pause, .resume, .shutdown, .stall, .earlyDeadline, .repeatedEvent, .strayEvent:
                break
            }
        }
    }
}
