/// Why lines did not get into the log.
enum LossCause: String, CaseIterable, Hashable {
    case rateLimit = "over the rate limit"
    /// The file could not be written: full disk, I/O error, read-only file system.
    case file = "the log file could not be written"
    case journal = "the journal took no more"
    /// The socket was full, or is gone.
    case telemetry = "its telemetry was not taken in time"
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

    /// Takes everything out; `nil` when nothing was lost.
    mutating func take() -> LossReport? {
        guard !isEmpty else { return nil }
        let shares = LossCause.allCases.compactMap { cause in
            counts[cause].map { count in
                LossReport.Share(count: count, because: cause.rawValue + (reason[cause].map { " (\($0))" } ?? ""))
            }
        }
        self = LossAccount()
        return LossReport(shares: shares)
    }
}

/// One report of losses.
struct LossReport: Equatable {
    /// What was lost for one cause, in words.
    struct Share: Equatable {
        var count: LossCount
        var because: String
    }

    var shares: [Share]

    var count: LossCount { shares.reduce(into: LossCount()) { $0 += $1.count } }

    /// All causes in words.
    var because: String {
        guard shares.count > 1 else { return shares.first?.because ?? "" }
        return shares.map { "\($0.count.lines) \($0.because)" }.joined(separator: ", ")
    }
}
