package import LinuxSystem
import MonotonicTime
package import Spool

/// One of the two spools, on a clock: it is synced in time, and says when there is more to deliver. Main thread only; blocks
/// for the disk.
package final class QueueSpool {
    private let loop: EventLoop
    package let spool: Spool
    /// Records are synced after this time at the latest.
    package var flushInterval: Duration
    private var flushTimer: TimerID?

    /// Called after each sync that made records ready for delivery.
    package var onSynced: () -> Void = {}
    /// Called when the disk takes nothing; it is tried again.
    package var onTrouble: (SpoolError) -> Void = { _ in }

    /// How long a disk that has failed is left alone.
    private static let pauseAfterTrouble: Duration = .seconds(5)

    package init(loop: EventLoop, spool: Spool, flushInterval: Duration) {
        self.loop = loop
        self.spool = spool
        self.flushInterval = flushInterval
    }

    deinit {
        if let flushTimer { loop.cancel(flushTimer) }
    }

    /// Takes records, and has them written to a file: they survive the end of this process, and are synced in time.
    package func append(_ records: [[UInt8]]) throws(SpoolError) {
        let now = Self.wallClock()
        for record in records { try spool.append(record, at: now) }
        try spool.write(at: now)
        scheduleFlush(after: flushInterval)
    }

    /// Makes everything safe now: it survives a power cut, and may be delivered.
    package func sync() throws(SpoolError) {
        if let flushTimer { loop.cancel(flushTimer) }
        flushTimer = nil
        let before = spool.statistics.synced
        do throws(SpoolError) {
            try spool.sync(at: Self.wallClock())
        } catch {
            scheduleFlush(after: Self.pauseAfterTrouble)
            throw error
        }
        if spool.statistics.synced > before { onSynced() }
    }

    private func scheduleFlush(after time: Duration) {
        guard flushTimer == nil else { return }
        flushTimer = loop.schedule(at: loop.now + time) { [weak self] in
            guard let self else { return }
            flushTimer = nil
            do throws(SpoolError) { try sync() } catch { onTrouble(error) }
        }
    }

    /// In milliseconds since 1970.
    private static func wallClock() -> Int64 { WallClock.microseconds() / 1000 }
}
