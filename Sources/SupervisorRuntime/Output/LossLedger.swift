import MonotonicTime

/// What was lost of the workers' output and is not told yet. The first loss is told at once; as long as it goes on, the
/// sums are told at distances that double from two seconds up to a minute, so that a full disk does not push everything
/// else out of the event ring. A distance without a loss ends it. Pure: time is an argument.
struct LossLedger {
    /// Lines and bytes that are missing for one reason.
    struct Share: Equatable {
        /// 0 where only bytes are known.
        var lines: Int
        var bytes: Int
        var because: String
    }

    /// What is to be told of one worker.
    struct Summary: Equatable {
        var worker: String
        /// By reason, in the order in which they came up.
        var shares: [Share]

        var lines: Int { shares.reduce(0) { $0 + $1.lines } }
        var bytes: Int { shares.reduce(0) { $0 + $1.bytes } }
    }

    private struct Account {
        var shares: [Share] = []
        var distance: Duration
        var due: MonotonicInstant
    }

    private var accounts: [String: Account] = [:]

    static let firstDistance: Duration = .seconds(2)
    static let longestDistance: Duration = .seconds(60)
    /// Reasons told apart in one summary; those beyond are added to the last one.
    private static let mostReasons = 8

    /// When `takeDue` has something to do.
    var nextDeadline: MonotonicInstant? { accounts.values.lazy.map(\.due).min() }

    /// Enters a loss.
    /// - Returns: what is to be told now.
    mutating func add(_ loss: Share, of worker: String, at now: MonotonicInstant) -> Summary? {
        guard var account = accounts[worker] else {
            accounts[worker] = Account(distance: Self.firstDistance, due: now + Self.firstDistance)
            return Summary(worker: worker, shares: [loss])
        }
        let index = account.shares.firstIndex { $0.because == loss.because }
        if let index = index ?? (account.shares.count < Self.mostReasons ? nil : Self.mostReasons - 1) {
            account.shares[index].lines += loss.lines
            account.shares[index].bytes += loss.bytes
        } else {
            account.shares.append(loss)
        }
        accounts[worker] = account
        return nil
    }

    /// What is due by now, by worker name.
    mutating func takeDue(at now: MonotonicInstant) -> [Summary] {
        var summaries: [Summary] = []
        for (worker, account) in accounts where account.due <= now {
            guard !account.shares.isEmpty else {
                accounts[worker] = nil
                continue
            }
            summaries.append(Summary(worker: worker, shares: account.shares))
            let distance = min(account.distance * 2, Self.longestDistance)
            accounts[worker] = Account(distance: distance, due: now + distance)
        }
        return summaries.sorted { $0.worker < $1.worker }
    }

    /// Everything that is not told yet, before it is forgotten: of one worker, or of all.
    mutating func takeAll(of worker: String? = nil) -> [Summary] {
        let taken = accounts.filter { worker == nil || $0.key == worker }
        for name in taken.keys { accounts[name] = nil }
        return taken.filter { !$0.value.shares.isEmpty }.map { Summary(worker: $0.key, shares: $0.value.shares) }
            .sorted { $0.worker < $1.worker }
    }
}
