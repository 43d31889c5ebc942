/// Why lines did not get into the log.
enum LossCause: String, CaseIterable, Hashable {
    case rateLimit = "over the rate limit"
    /// The file could not be written: full disk, I/O error, read-only file system.
    case file = "the log file could not be written"
    case journal = "the journal took no more"
    /// Neither a journal nor a log directory.
    case noLog = "there is no log to write to"
}

/// Lines and bytes that are missing.
struct LossCount: Equatable {
    var lines = 0
    /// Of the lines' text, without their line breaks.
    var bytes = 0

    static func += (left: inout LossCount, right: LossCount) {
        left.lines += right.lines
        left.bytes += right.bytes
    }
}

/// What was lost of one worker's output since it was last reported.
struct LossAccount {
    private var counts: [LossCause: LossCount] = [:]
    /// What the system said about the last failure, such as "No space left on device".
    private var reason: [LossCause: String] = [:]

    var isEmpty: Bool { counts.isEmpty }

    mutating func add(_ cause: LossCause, _ count: LossCount, reason: String? = nil) {
        guard count != LossCount() else { return }
        counts[cause, default: LossCount()] += count
        if let reason { self.reason[cause] = reason }
    }

    /// Takes everything out, with the causes in words; `nil` when nothing was lost.
    mutating func take() -> LossReport? {
        guard !isEmpty else { return nil }
        var total = LossCount()
        var phrases: [String] = []
        for cause in LossCause.allCases {
            guard let count = counts[cause] else { continue }
            total += count
            let share = counts.count > 1 ? "\(count.lines) " : ""
            let detail = reason[cause].map { " (\($0))" } ?? ""
            phrases.append(share + cause.rawValue + detail)
        }
        self = LossAccount()
        return LossReport(count: total, because: phrases.joined(separator: ", "))
    }
}

/// One report of losses.
struct LossReport: Equatable {
    var count: LossCount
    /// The causes in words.
    var because: String
}
