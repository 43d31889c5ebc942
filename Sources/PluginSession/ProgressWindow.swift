import MonotonicTime

/// Lets few of many reports of progress through: at most ten a second, and always the last one, later.
struct ProgressWindow {
    typealias Report = (percent: Int?, words: String)

    private static let pause = Duration.milliseconds(100)
    private var last: MonotonicInstant?
    private var waiting: Report?

    /// What to pass on now, or when to ask for what waits.
    enum Verdict {
        case now(Report)
        case at(MonotonicInstant)
        /// Somebody was asked to come back already.
        case later
    }

    mutating func take(_ report: Report, at now: MonotonicInstant) -> Verdict {
        guard let last, last.duration(to: now) < Self.pause else {
            self.last = now
            waiting = nil
            return .now(report)
        }
        let isFirst = waiting == nil
        waiting = report
        return isFirst ? .at(last.advanced(by: Self.pause)) : .later
    }

    mutating func takeWaiting(at now: MonotonicInstant) -> Report? {
        guard let report = waiting else { return nil }
        waiting = nil
        last = now
        return report
    }
}
