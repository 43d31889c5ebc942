import MonotonicTime

/// How many lines a plugin has logged in this second, and how many were dropped.
struct LogWindow {
    let linesPerSecond: Int
    private var beginning: MonotonicInstant?
    private var taken = 0
    private var dropped = 0

    init(linesPerSecond: Int) { self.linesPerSecond = linesPerSecond }

    /// Whether a line is to be shown, and what to say before it about those that were not.
    mutating func take(at now: MonotonicInstant) -> (isTaken: Bool, notice: String?) {
        var notice: String?
        if beginning.map({ $0.duration(to: now) >= .seconds(1) }) ?? true {
            notice = takeNotice()
            beginning = now
            taken = 0
        }
        guard taken < linesPerSecond else {
            dropped += 1
            return (false, notice)
        }
        taken += 1
        return (true, notice)
    }

    /// What to say about the lines that were dropped since the last time.
    mutating func takeNotice() -> String? {
        guard dropped > 0 else { return nil }
        defer { dropped = 0 }
        let lines = dropped == 1 ? "1 line was" : "\(dropped) lines were"
        return "\(lines) dropped here: more than \(linesPerSecond) a second"
    }
}
