import LinuxSystem
import Spool
import SeededRandom

/// A random life of a spool on a simulated disk, against what is promised: every synced record comes out once, in order and
/// unharmed, or is counted as gone.
package struct SpoolLife {
    package enum Trouble: String, CaseIterable {
        /// The power or the process goes, at any call.
        case stops
        /// The disk is full now and then, or the quota is small.
        case room
        /// Calls fail.
        case errors
        /// Bits flip.
        case flips
    }

    private var random: SeededGenerator
    private let disk: SimulatedDisk
    private let troubles: Set<Trouble>
    private let settings: SpoolSettings
    private var spool: Spool?
    private var clock: Int64 = 1_000
    /// By number, what was appended under it last.
    private var appended: [UInt64: [UInt8]] = [:]
    /// The highest number for which a sync has succeeded.
    private var synced: UInt64 = 0
    /// Numbers that were not synced when the power went: they may be missing.
    private var excused: [ClosedRange<UInt64>] = []
    /// How far the reader has come, and what he was given.
    private var position: UInt64 = 0
    private var acknowledged: UInt64 = 0
    private var delivered: [UInt64: [UInt8]] = [:]
    private var hadDamage = false
    package private(set) var stops = 0
    package private(set) var faults: [String] = []

    /// Whether each step is printed.
    private let isTraced: Bool

    package init(seed: UInt64, _ troubles: Set<Trouble>, isTraced: Bool = false) {
        self.isTraced = isTraced
        random = SeededGenerator(seed: seed)
        self.troubles = troubles
        disk = SimulatedDisk(random: SeededGenerator(seed: seed &* 31 &+ 1))
        let policy: SpoolSettings.FullPolicy = seed % 2 == 0 ? .dropOldest : .refuse
        // Room for everything, unless that is the trouble.
        settings = SpoolSettings(quota: troubles.contains(.room) ? 0 : 64 << 20, whenFull: policy)
        open()
    }

    package mutating func run(steps: Int) {
        for _ in 0..<steps where faults.isEmpty { step() }
        guard faults.isEmpty else { return }
        finish()
    }

    // MARK: Steps

    private mutating func step() {
        arrange()
        clock += Int64.random(in: 0...2000, using: &random)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<45: append()
        case 45..<55: attempt { spool, clock throws(SpoolError) in try spool.write(at: clock) }
        case 55..<75: sync()
        case 75..<88: read()
        case 88..<96: acknowledge()
        case 96..<98: stop(cutsPower: Bool.random(using: &random))
        default:
            if troubles.contains(.flips), Int.random(in: 0..<10, using: &random) == 0, disk.flipBit() {
                hadDamage = true
            }
        }
        trace()
        if disk.hasStopped { stop(cutsPower: Bool.random(using: &random)) }
        // A file that cannot be removed takes what it takes.
        let isStrict = settings.whenFull == .dropOldest && !disk.hasStopped && !troubles.contains(.errors)
        if let spool, isStrict, disk.used > settings.quota {
            faults.append("\(disk.used) bytes on the disk, \(spool.statistics.used) of \(settings.quota) known")
        }
    }

    private func trace() {
        guard isTraced, let now = spool?.statistics else { return }
        print(
            "call \(disk.calls): written \(now.written), synced \(now.synced), acknowledged \(now.acknowledged), "
                + "read \(position), dropped \(now.dropped), lost \(now.lost), \(now.segments) segments, "
                + "\(disk.used) bytes\(disk.hasStopped ? ", stopped" : "")")
    }

    private mutating func arrange() {
        let next = disk.calls + Int.random(in: 1...40, using: &random)
        if troubles.contains(.stops), Int.random(in: 0..<8, using: &random) == 0 { disk.failures[next] = .stop }
        if troubles.contains(.errors), Int.random(in: 0..<6, using: &random) == 0 { disk.failures[next] = .error(5) }
        if troubles.contains(.room), Int.random(in: 0..<20, using: &random) == 0 {
            let isFull = Bool.random(using: &random)
            disk.capacity = isFull ? disk.used + Int.random(in: 0...4096, using: &random) : .max
        }
    }

    private mutating func append() {
        guard let spool else { return }
        for _ in 0..<Int.random(in: 1...40, using: &random) {
            let isLong = Int.random(in: 0..<50, using: &random) == 0
            let count = Int.random(in: 0...(isLong ? 30_000 : 300), using: &random)
            let record = bytes(count)
            do throws(SpoolError) {
                let number = try spool.append(record, at: clock)
                if delivered[number] != nil { faults.append("number \(number) was given out again") }
                appended[number] = record
            } catch {
                if case .full = error, settings.whenFull == .dropOldest { faults.append("\(error)") }
                if case .recordTooLarge = error { faults.append("\(error)") }
            }
        }
    }

    /// Eight random bytes again and again: drawing each one would be most of the test's time.
    private mutating func bytes(_ count: Int) -> [UInt8] {
        let pattern = random.next()
        return (0..<count).map { UInt8(truncatingIfNeeded: pattern >> UInt64($0 & 7 << 3)) }
    }

    private mutating func sync() {
        guard let spool else { return }
        do throws(SpoolError) {
            try spool.sync(at: clock)
            synced = max(synced, spool.statistics.synced)
        } catch {
            if troubles.isEmpty { faults.append("sync: \(error)") }
        }
    }

    private mutating func attempt(_ body: (Spool, Int64) throws(SpoolError) -> Void) {
        guard let spool else { return }
        do throws(SpoolError) { try body(spool, clock) } catch {
            if troubles.isEmpty { faults.append("\(error)") }
        }
    }

    private mutating func read() {
        guard let spool else { return }
        do throws(SpoolError) {
            for item in try spool.read(
                after: position, maximumBytes: Int.random(in: 1...20_000, using: &random),
                maximumRecords: Int.random(in: 1...200, using: &random))
            {
                take(item, from: spool)
            }
        } catch {
            if troubles.isEmpty { faults.append("read: \(error)") }
        }
    }

    private mutating func take(_ item: SpoolItem, from spool: Spool) {
        switch item {
        case .record(let record):
            if record.sequence != position + 1 { faults.append("\(record.sequence) comes after \(position)") }
            if record.sequence > spool.statistics.synced { faults.append("\(record.sequence) is not synced") }
            if appended[record.sequence] != record.bytes { faults.append("\(record.sequence) is another record") }
            if let former = delivered[record.sequence], former != record.bytes {
                faults.append("\(record.sequence) was delivered as another record")
            }
            delivered[record.sequence] = record.bytes
        case .gap(let range):
            if range.lowerBound != position + 1 {
                faults.append("a gap from \(range.lowerBound) comes after \(position)")
            }
            checkGap(range, spool.statistics)
        }
        position = item.lastSequence
    }

    /// What was synced is missing only where that is counted.
    private mutating func checkGap(_ range: ClosedRange<UInt64>, _ statistics: SpoolStatistics) {
        let gone = statistics.dropped + statistics.expired + statistics.lost
        guard range.lowerBound <= synced else { return }
        let missing = range.clamped(to: 1...synced)
        guard !isExcused(missing) else { return }
        if gone == 0 { faults.append("\(range) is missing, and nothing is counted (synced up to \(synced))") }
        if !troubles.contains(.room), !hadDamage, !troubles.contains(.errors) {
            faults.append("\(range) is missing for no reason (synced up to \(synced))")
        }
    }

    private func isExcused(_ missing: ClosedRange<UInt64>) -> Bool {
        var next = missing.lowerBound
        while next <= missing.upperBound, let range = excused.last(where: { $0.contains(next) }) {
            next = range.upperBound + 1
        }
        return next > missing.upperBound
    }

    private mutating func acknowledge() {
        guard let spool, position > acknowledged else { return }
        let reached = UInt64.random(in: acknowledged...position, using: &random)
        do throws(SpoolError) {
            try spool.acknowledge(through: reached)
            acknowledged = reached
        } catch {
            if troubles.isEmpty { faults.append("acknowledge: \(error)") }
        }
    }

    private mutating func stop(cutsPower: Bool) {
        stops += 1
        if isTraced { print(cutsPower ? "the power is cut" : "the process ends") }
        spool = nil
        if cutsPower { disk.cutPower() } else { disk.restartProcess() }
        open()
    }

    private mutating func open() {
        do throws(SpoolError) {
            let spool = try Spool(disk, settings, at: clock, using: &random)
            self.spool = spool
            // What was never handed out and is not there is no more than if it had never been appended.
            let last = max(spool.statistics.written, delivered.keys.max() ?? 0)
            for number in appended.keys where number > last { appended[number] = nil }
            if spool.statistics.written < synced, !hadDamage, !troubles.contains(.errors) {
                faults.append("\(synced) was synced, and only \(spool.statistics.written) is there")
            }
            if spool.statistics.written > synced { excused.append(synced + 1...spool.statistics.written) }
            synced = min(synced, spool.statistics.written)
            // A reader begins where central is, and gets again what it has not acknowledged.
            position = spool.acknowledged
            acknowledged = spool.acknowledged
            trace()
        } catch {
            faults.append("cannot be opened: \(error)")
        }
    }

    private mutating func finish() {
        disk.restartProcess()
        disk.capacity = .max
        guard let spool else { return faults.append("no spool is left") }
        for _ in 0..<3 { sync() }
        let last = spool.statistics.synced
        if last < spool.statistics.written { faults.append("\(spool.statistics) cannot be synced") }
        var rounds = 0
        while position < last, faults.isEmpty, rounds < 100_000 {
            rounds += 1
            let former = position
            read()
            if position == former { faults.append("reading stands still at \(position) of \(last)") }
        }
        try? spool.acknowledge(through: last)
        if faults.isEmpty, spool.acknowledged != last {
            faults.append("\(spool.acknowledged) of \(last) is acknowledged")
        }
        if spool.statistics.segments > 1 { faults.append("\(spool.statistics.segments) segments are left") }
    }
}
