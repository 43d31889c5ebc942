/// Shrinks a failing schedule: takes out stimuli and spares processes as long as the same invariant still fails.
package struct Minimiser {
    /// Runs at most; each is a few milliseconds.
    private var budget = 2_000
    private let invariant: Invariant

    package init(_ invariant: Invariant) {
        self.invariant = invariant
    }

    /// The smallest schedule found.
    package mutating func minimised(_ schedule: Schedule) -> Schedule {
        var best = schedule
        best = withoutStimuli(best)
        best = withSparedSpawns(best)
        best = withoutStimuli(best)
        return best
    }

    /// Delta debugging (Zeller and Hildebrandt, 2002): ever smaller pieces are left out.
    private mutating func withoutStimuli(_ schedule: Schedule) -> Schedule {
        var best = schedule
        var piece = max(1, best.stimuli.count / 2)
        while true {
            var index = 0
            while index < best.stimuli.count {
                var candidate = best
                candidate.stimuli.removeSubrange(index..<min(index + piece, candidate.stimuli.count))
                if stillFails(candidate) { best = candidate } else { index += piece }
            }
            if piece == 1 { return best }
            piece /= 2
        }
    }

    private mutating func withSparedSpawns(_ schedule: Schedule) -> Schedule {
        var best = schedule
        var tried: Set<SpawnOrdinal> = []
        while budget > 0 {
            let faulty = Simulation(best).run().faultySpawns
            guard let next = faulty.first(where: { !tried.contains($0) }) else { return best }
            tried.insert(next)
            var candidate = best
            candidate.spared.insert(next)
            if stillFails(candidate) { best = candidate }
        }
        return best
    }

    private mutating func stillFails(_ schedule: Schedule) -> Bool {
        guard budget > 0 else { return false }
        budget -= 1
        return Simulation(schedule).run().violation?.invariant == invariant
    }
}
