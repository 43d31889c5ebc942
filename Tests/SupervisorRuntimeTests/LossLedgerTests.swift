import MonotonicTime
import Testing

@testable import SupervisorRuntime

@Suite struct LossLedgerTests {
    private static func loss(_ lines: Int, _ because: String = "full disk") -> LossLedger.Share {
        LossLedger.Share(lines: lines, bytes: lines * 10, because: because)
    }

    @Test func `the first loss is told at once, and a lasting one at distances that double up to a minute`() throws {
        var ledger = LossLedger()
        var told: [Duration] = []
        var lines = 0
        for second in 0..<300 {
            let now = MonotonicInstant.zero + .seconds(second)
            let due = ledger.nextDeadline.map { $0 <= now } == true ? ledger.takeDue(at: now) : []
            for summary in due + [ledger.add(Self.loss(1), of: "a", at: now)].compactMap({ $0 }) {
                told.append(.seconds(second))
                lines += summary.lines
            }
        }
        #expect(told == [0, 2, 6, 14, 30, 62, 122, 182, 242].map { .seconds($0) })
        for summary in ledger.takeAll() { lines += summary.lines }
        #expect(lines == 300)
        #expect(ledger.nextDeadline == nil)
    }

    @Test func `what was lost last is told when its distance is over, and then nothing is left to wake up for`() throws
    {
        var ledger = LossLedger()
        #expect(ledger.add(Self.loss(1), of: "a", at: .zero) == LossLedger.Summary(worker: "a", shares: [Self.loss(1)]))
        #expect(ledger.add(Self.loss(2), of: "a", at: .zero + .seconds(1)) == nil)
        #expect(ledger.takeDue(at: .zero + .milliseconds(1999)).isEmpty)
        let due = try #require(ledger.nextDeadline)
        #expect(ledger.takeDue(at: due) == [LossLedger.Summary(worker: "a", shares: [Self.loss(2)])])
        let end = try #require(ledger.nextDeadline)
        #expect(end == due + .seconds(4))
        #expect(ledger.takeDue(at: end).isEmpty)
        #expect(ledger.nextDeadline == nil)
        // The next one is a first one again.
        #expect(ledger.add(Self.loss(3), of: "a", at: end) != nil)
    }

    @Test func `losses are summed by reason, and those of one worker do not wait for another's`() throws {
        var ledger = LossLedger()
        _ = ledger.add(Self.loss(1), of: "a", at: .zero)
        for reason in ["full disk", "too fast", "full disk"] {
            _ = ledger.add(Self.loss(1, reason), of: "a", at: .zero)
        }
        #expect(ledger.add(Self.loss(7), of: "b", at: .zero)?.worker == "b")
        let summary = try #require(ledger.takeDue(at: .zero + .seconds(2)).first)
        #expect(summary.shares == [Self.loss(2), Self.loss(1, "too fast")])
        #expect(summary.lines == 3 && summary.bytes == 30)
    }

    @Test func `however many reasons there are, what is kept of them is bounded and nothing is left out`() throws {
        var ledger = LossLedger()
        _ = ledger.add(Self.loss(1), of: "a", at: .zero)
        for number in 0..<100 { _ = ledger.add(Self.loss(1, "reason \(number)"), of: "a", at: .zero) }
        let summary = try #require(ledger.takeAll(of: "a").first)
        #expect(summary.lines == 100)
        #expect(summary.shares.count == 8)
    }
}
