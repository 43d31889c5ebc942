import Spool

/// One of the spools as the intake uses it: what it has taken is in a file, or is written as soon as the disk takes it.
final class IntakeQueue {
    let spool: QueueSpool
    var repeats: RepeatCheck
    /// What has still to be handed to the spool, which could not write what came before.
    private var waiting: [[UInt8]] = []
    /// The spool holds records in memory that it could not write.
    private var holdsRecords = false

    /// Handed over at a time, in bytes: less than has the spool write by itself, so that what it throws is about all of it.
    private static let largestPart = 48 * 1024

    init(_ spool: QueueSpool) {
        self.spool = spool
        repeats = RepeatCheck(spool.spool)
    }

    /// Has records written to a file, as far as the spool takes them.
    /// - Returns: how many it refused, since it is full.
    /// - Throws: where the disk takes nothing. `write` tries again then; the records are not to be appended again.
    func append(_ records: [[UInt8]]) throws(SpoolError) -> Int {
        waiting += records
        return try write()
    }

    /// Writes what could not be written before.
    /// - Returns: how many were refused.
    @discardableResult
    func write() throws(SpoolError) -> Int {
        if holdsRecords {
            try spool.append([])
            holdsRecords = false
        }
        var refused = 0
        while !waiting.isEmpty {
            var bytes = 0
            let fitting = waiting.prefix { record in
                bytes += record.count
                return bytes <= Self.largestPart
            }.count
            let part = Array(waiting.prefix(max(fitting, 1)))
            waiting.removeFirst(part.count)
            refused += try append(part: part)
        }
        return refused
    }

    private func append(part: [[UInt8]]) throws(SpoolError) -> Int {
        let before = spool.spool.statistics.written
        do throws(SpoolError) {
            try spool.append(part)
            return 0
        } catch {
            holdsRecords = true
            switch error {
            case .full, .recordTooLarge:
                // Those before it wait to be written.
                try spool.append([])
                holdsRecords = false
                return part.count - Int(spool.spool.statistics.written - before)
            case .system, .unknownVersion: throw error
            }
        }
    }
}
