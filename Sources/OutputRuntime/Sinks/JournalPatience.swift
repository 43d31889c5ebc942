import MonotonicTime

/// How long a journal that takes no more is waited for: a burst must not cost lines only because journald needs a few
/// milliseconds, and a journald that hangs must not stop the draining. Waits add up to `limit` within one stall; then
/// entries are lost at once until `pause` is over, when one is tried again without waiting.
struct JournalPatience {
    static let limit: Duration = .seconds(1)
    static let slice: Duration = .milliseconds(100)
    static let pause: Duration = .seconds(1)

    private var waited: Duration = .zero
    private var refusedUntil: MonotonicInstant?

    /// Whether an entry should be tried at all.
    func mayTry(at now: MonotonicInstant) -> Bool {
        refusedUntil.map { now >= $0 } ?? true
    }

    /// The journal is full: how long to wait before the next try; `nil` to give the entry up.
    mutating func waitAfterRefusal(at now: MonotonicInstant) -> Duration? {
        guard waited < JournalPatience.limit else {
            refusedUntil = now.advanced(by: JournalPatience.pause)
            return nil
        }
        let wait = min(JournalPatience.slice, JournalPatience.limit - waited)
        waited += wait
        return wait
    }

    /// The journal took an entry.
    mutating func succeed() {
        waited = .zero
        refusedUntil = nil
    }
}
