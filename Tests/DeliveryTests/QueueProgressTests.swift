import Delivery
import Testing

@Suite("Progress of a queue")
struct QueueProgressTests {
    private static func batch(_ first: UInt64, _ last: UInt64, records: Int? = nil) -> QueueProgress.Batch {
        let count = records ?? Int(last - first + 1)
        return QueueProgress.Batch(
            first: first, last: last, records: count, lastRecord: count > 0 ? last : nil, bytes: count * 100)
    }

    /// With 1 to 100 written, 50 at central, and 51 to 60 on the way.
    private static func underWay() -> QueueProgress {
        var progress = QueueProgress(acknowledged: 50, available: 100)
        _ = progress.handle(.sent(batch(51, 60)))
        return progress
    }

    static let underWayTable: [(QueueProgress.Event, [QueueProgress.Action], position: UInt64)] = [
        (.available(through: 120), [], 50),
        (.sent(batch(51, 52)), [], 50),
        (.acknowledged(through: 60, took: .seconds(1)), [.acknowledge(through: 60), .goOn], 60),
        (.acknowledged(through: 55, took: .seconds(1)), [.acknowledge(through: 55), .goOn], 55),
        (.acknowledged(through: 80, took: .seconds(1)), [.acknowledge(through: 80), .goOn], 80),
        (.acknowledged(through: 50, took: .seconds(1)), [.fail], 50),
        (
            .acknowledged(through: 101, took: .seconds(1)),
            [.reportFork(central: 101), .acknowledge(through: 100), .goOn], 100
        ),
        (.sequence(acknowledged: 20), [.goOn], 20),
        (.sequence(acknowledged: 50), [.fail], 50),
        (.sequence(acknowledged: 70), [.acknowledge(through: 70), .goOn], 70),
        (.sequence(acknowledged: 900), [.reportFork(central: 900), .acknowledge(through: 100), .goOn], 100),
        (.unreadable(55), [.goOn], 50),
        (.unreadable(nil), [.goOn], 50),
        (.unreadable(7), [.goOn], 50),
        (.tooLarge, [.goOn], 50),
        (.failed, [], 50),
    ]

    @Test("with a batch under way, each answer has its consequence", arguments: underWayTable.indices)
    func answers(row: Int) {
        let (event, actions, position) = Self.underWayTable[row]
        var progress = Self.underWay()
        #expect(progress.handle(event) == actions, "\(event)")
        #expect(progress.position == position)
    }

    @Test("without a batch under way, a late answer changes nothing", arguments: underWayTable.indices)
    func lateAnswers(row: Int) {
        let event = Self.underWayTable[row].0
        if case .sent = event { return }
        var progress = QueueProgress(acknowledged: 50, available: 100)
        #expect(progress.handle(event) == [])
        #expect(progress.position == 50)
    }

    @Test("an unreadable record goes alone, and then as a gap")
    func unreadable() throws {
        var progress = Self.underWay()
        _ = progress.handle(.unreadable(55))
        #expect(progress.plan?.through == 54)
        _ = progress.handle(.sent(Self.batch(51, 54)))
        _ = progress.handle(.acknowledged(through: 54, took: .seconds(1)))
        #expect(progress.plan?.through == 55)
        _ = progress.handle(.sent(Self.batch(55, 55)))
        #expect(progress.handle(.unreadable(55)) == [.giveUp(55), .goOn])
        #expect(progress.plan?.omits == [55])
        // Nothing but a gap is left of it: that central should not take it is no record's fault.
        _ = progress.handle(.sent(Self.batch(55, 55, records: 0)))
        #expect(progress.handle(.unreadable(55)) == [.fail])
        _ = progress.handle(.sent(Self.batch(55, 70, records: 15)))
        _ = progress.handle(.acknowledged(through: 70, took: .seconds(1)))
        #expect(progress.plan?.through == nil)
    }

    @Test("a batch that is too large is halved down to one record, which then goes as a gap")
    func tooLarge() throws {
        var progress = QueueProgress(acknowledged: 0, available: 5000)
        var tries = 0
        while let plan = progress.plan, plan.omits.isEmpty {
            let count = UInt64(min(plan.maximumRecords, max(1, plan.maximumBytes / 100)))
            _ = progress.handle(.sent(Self.batch(1, count)))
            _ = progress.handle(.tooLarge)
            tries += 1
            try #require(tries < 30)
        }
        #expect(progress.plan?.omits == [1])
    }

    @Test("a central that redirects without end is left alone in between")
    func redirectedAgain() {
        var progress = Self.underWay()
        #expect(progress.handle(.sequence(acknowledged: 20)) == [.goOn])
        _ = progress.handle(.sent(Self.batch(21, 30)))
        #expect(progress.handle(.sequence(acknowledged: 10)) == [.fail])
        #expect(progress.position == 10)
    }
}

@Suite("Batch sizes")
struct BatchSizerTests {
    @Test("follow what goes through in ten seconds", arguments: [2_000, 50_000, 10_000_000])
    func followsRate(bytesPerSecond: Int) {
        var sizer = BatchSizer()
        for _ in 0..<40 {
            sizer.handle(
                .delivered(bytes: sizer.bytes, took: .seconds(Double(sizer.bytes) / Double(bytesPerSecond))))
        }
        let wanted = min(max(bytesPerSecond * 10, BatchSizer.smallest), BatchSizer.largest)
        #expect(abs(sizer.bytes - wanted) <= wanted / 10)
    }

    @Test("shrink with each failure, and not below the smallest")
    func shrinks() {
        var sizer = BatchSizer()
        for _ in 0..<20 { sizer.handle(.failed) }
        #expect(sizer.bytes == BatchSizer.smallest)
        #expect(sizer.records == BatchSizer.mostRecords)
    }

    @Test("do not grow for a small batch that was quick")
    func smallBatch() {
        var sizer = BatchSizer()
        let before = sizer.bytes
        for _ in 0..<20 { sizer.handle(.delivered(bytes: 100, took: .milliseconds(5))) }
        #expect(sizer.bytes == before)
    }
}
