import MonotonicTime

/// When something is due by what the observer knows: not before `earliest`, not after `latest`. The two differ where
/// the specification leaves a choice.
struct Due {
    var earliest: MonotonicInstant
    var latest: MonotonicInstant

    init(_ exact: MonotonicInstant) {
        earliest = exact
        latest = exact
    }

    init(earliest: MonotonicInstant, latest: MonotonicInstant) {
        self.earliest = earliest
        self.latest = latest
    }

    static let never = MonotonicInstant(nanoseconds: .max)

    /// An extension makes nothing shorter.
    func extended(by other: Due) -> Due {
        Due(earliest: max(earliest, other.earliest), latest: max(latest, other.latest))
    }

    /// From the earlier to the later of both.
    func widened(by other: Due) -> Due {
        Due(earliest: min(earliest, other.earliest), latest: max(latest, other.latest))
    }
}
