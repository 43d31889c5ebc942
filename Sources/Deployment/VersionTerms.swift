/// What a version asks of whoever runs it, from its manifest (docs/bundle-format.md).
package struct VersionTerms: Hashable, Sendable {
    /// For how long all has to be well without a break before the version counts as good.
    package var probation: Duration
    /// Within which time all its workers have to be ready, counted from the switch.
    package var readyWithin: Duration
    /// How long its self-test may take; `nil` when it has none.
    package var selfTestWithin: Duration?
    /// Whether an earlier version can read the data that this one has written.
    package var isReversible: Bool

    package init(
        probation: Duration = .seconds(60), readyWithin: Duration = .seconds(60), selfTestWithin: Duration? = nil,
        isReversible: Bool = true
    ) {
        self.probation = probation
        self.readyWithin = readyWithin
        self.selfTestWithin = selfTestWithin
        self.isReversible = isReversible
    }
}
