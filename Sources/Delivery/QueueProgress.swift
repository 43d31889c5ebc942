/// How far one spool has been delivered, and what its next batch may hold.
package struct QueueProgress: Equatable, Sendable {
    /// What to read from the spool for a batch.
    package struct Plan: Equatable, Sendable {
        /// The number of the last item that central has.
        package var after: UInt64
        package var maximumBytes: Int
        package var maximumRecords: Int
        /// Nothing beyond this number.
        package var through: UInt64?
        /// These records go as gaps.
        package var omits: Set<UInt64>

        package init(
            after: UInt64, maximumBytes: Int, maximumRecords: Int, through: UInt64? = nil, omits: Set<UInt64> = []
        ) {
            self.after = after
            self.maximumBytes = maximumBytes
            self.maximumRecords = maximumRecords
            self.through = through
            self.omits = omits
        }
    }

    /// What went out.
    package struct Batch: Equatable, Sendable {
        package var first: UInt64
        package var last: UInt64
        package var records: Int
        /// The number of the last record; `nil` when there are gaps only.
        package var lastRecord: UInt64?
        /// Of records, as they are on disk.
        package var bytes: Int

        package init(first: UInt64, last: UInt64, records: Int, lastRecord: UInt64?, bytes: Int) {
            self.first = first
            self.last = last
            self.records = records
            self.lastRecord = lastRecord
            self.bytes = bytes
        }
    }

    package enum Event: Equatable, Sendable {
        /// Records up to this number may be delivered.
        case available(through: UInt64)
        case sent(Batch)
        /// 200: central has everything up to there.
        case acknowledged(through: UInt64, took: Duration)
        /// 409: it goes on from there.
        case sequence(acknowledged: UInt64)
        /// 400: central cannot read the record; `nil` when it does not say which.
        case unreadable(UInt64?)
        /// 413.
        case tooLarge
        /// No answer that says anything.
        case failed
    }

    package enum Action: Equatable, Sendable {
        /// Central has everything up to there.
        case acknowledge(through: UInt64)
        /// The next batch can go at once: something has changed for the better.
        case goOn
        /// The answer leads nowhere: as a failure.
        case fail
        /// Central will not take the record; it goes as a gap.
        case giveUp(UInt64)
        /// Central has more than was ever written here: somebody else has this identity.
        case reportFork(central: UInt64)
    }

    /// Central has everything up to this number.
    package private(set) var position: UInt64
    package private(set) var available: UInt64
    package private(set) var sizer = BatchSizer()
    private static let mostOmitted = 256
    private var inFlight: Batch?
    /// Goes alone, to see whether it is this one that central cannot read.
    private var isolated: UInt64?
    /// Central will not take them. Also such as it has, for it may be restored from a backup.
    private var omitted: Set<UInt64> = []
    /// Told where to go on, without anything acknowledged since.
    private var wasRedirected = false

    /// - Parameters:
    ///   - acknowledged: as the spool knows.
    ///   - available: the last number that may be delivered.
    package init(acknowledged: UInt64 = 0, available: UInt64 = 0) {
        position = acknowledged
        self.available = available
    }

    /// What to send next; `nil` when there is nothing, or a batch is under way.
    package var plan: Plan? {
        guard inFlight == nil, position < available else { return nil }
        var plan = Plan(after: position, maximumBytes: sizer.bytes, maximumRecords: sizer.records)
        plan.omits = omitted
        if let isolated, isolated > position {
            plan.through = isolated == position + 1 ? isolated : isolated - 1
        }
        return plan
    }

    /// The batch on its way did not arrive, which says nothing about its size.
    package mutating func withdraw() { inFlight = nil }

    package mutating func handle(_ event: Event) -> [Action] {
        switch (inFlight, event) {
        case (_, .available(let through)):
            available = max(available, through)
            return []
        case (nil, .sent(let batch)):
            inFlight = batch
            return []
        case (let batch?, .acknowledged(let through, let took)):
            inFlight = nil
            return acknowledged(through, batch, took)
        case (let batch?, .sequence(let acknowledged)):
            inFlight = nil
            return redirected(to: acknowledged, batch)
        case (let batch?, .unreadable(let sequence)):
            inFlight = nil
            return refused(batch, sequence)
        case (let batch?, .tooLarge):
            inFlight = nil
            guard batch.records <= 1 else {
                sizer.handle(.tooLarge(records: batch.records))
                return [.goOn]
            }
            return omit(batch)
        case (.some, .failed):
            inFlight = nil
            sizer.handle(.failed)
            return []
        case (.some, .sent), (nil, .acknowledged), (nil, .sequence), (nil, .unreadable), (nil, .tooLarge),
            (nil, .failed):
            // An answer that nobody waits for any more.
            return []
        }
    }

    private mutating func acknowledged(_ through: UInt64, _ batch: Batch, _ took: Duration) -> [Action] {
        // Not even what was sent: no answer of central's.
        guard through >= batch.first else { return [.fail] }
        wasRedirected = false
        sizer.handle(.delivered(bytes: batch.bytes, took: took))
        return advance(to: through)
    }

    private mutating func advance(to sequence: UInt64) -> [Action] {
        let isFork = sequence > available
        position = min(sequence, available)
        if let isolated, isolated <= position { self.isolated = nil }
        return (isFork ? [.reportFork(central: sequence)] : []) + [.acknowledge(through: position), .goOn]
    }

    private mutating func redirected(to sequence: UInt64, _ batch: Batch) -> [Action] {
        if sequence >= batch.first { return advance(to: sequence) }
        guard sequence + 1 < batch.first else { return [.fail] }
        // Central was restored from an old backup. Twice in a row is too much to go on at once.
        defer { wasRedirected = true }
        position = sequence
        return [wasRedirected ? .fail : .goOn]
    }

    private mutating func refused(_ batch: Batch, _ sequence: UInt64?) -> [Action] {
        guard batch.records > 1 else { return omit(batch) }
        guard let sequence, sequence >= batch.first, sequence <= batch.last else {
            sizer.handle(.tooLarge(records: batch.records))
            return [.goOn]
        }
        isolated = sequence
        return [.goOn]
    }

    /// The only record of a batch goes as a gap from now on.
    private mutating func omit(_ batch: Batch) -> [Action] {
        guard batch.records == 1, let record = batch.lastRecord else { return [.fail] }
        if omitted.count == Self.mostOmitted, let oldest = omitted.min() { omitted.remove(oldest) }
        omitted.insert(record)
        return [.giveUp(record), .goOn]
    }
}
