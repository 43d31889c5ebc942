import Delivery
import Testing

@Suite("Command ledger")
struct CommandLedgerTests {
    private typealias State = CommandLedger.Entry.State

    /// With "known" of number 5 in a state, or without it.
    private static func ledger(_ state: CommandLedger.Entry.State?) -> CommandLedger {
        var ledger = CommandLedger()
        guard let state else { return ledger }
        let entry = CommandLedger.Entry(id: "known", sequence: 5, content: "c", state: state, isReported: true)
        _ = ledger.handle(.found(entry, isRepeatable: true))
        return ledger
    }

    private static func received(
        _ id: String, _ sequence: UInt64, content: String = "c", isExpired: Bool = false, isKnownKind: Bool = true
    ) -> CommandLedger.Event {
        .received(id: id, sequence: sequence, content: content, isExpired: isExpired, isKnownKind: isKnownKind)
    }

    private static func summary(_ actions: [CommandLedger.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .keep(let entry): "keep \(entry.state)"
            case .keepLoosely(let entry): "keep \(entry.state) reported"
            case .carryOut: "carry out"
            case .report(_, let state): "report \(state)"
            case .reportDifferent: "report different"
            case .forget: "forget"
            }
        }
    }

    @Test("a new command is kept before it is carried out")
    func new() {
        var ledger = Self.ledger(nil)
        #expect(
            Self.summary(ledger.handle(Self.received("a", 6))) == ["keep running", "report running", "carry out"])
        #expect(Self.summary(ledger.handle(.finished(id: "a", .succeeded))) == ["keep succeeded", "report succeeded"])
        #expect(Self.summary(ledger.handle(.reported(id: "a"))) == ["keep succeeded reported"])
        #expect(ledger.highest == 6)
    }

    @Test("each state has one answer to each event", arguments: CommandLedger.Entry.State.allCases)
    func everyState(state: CommandLedger.Entry.State) {
        let isRunning = state == .running
        let table: [(CommandLedger.Event, [String])] = [
            (Self.received("known", 5), isRunning ? [] : ["report \(state)"]),
            (Self.received("known", 5, isExpired: true), isRunning ? [] : ["report \(state)"]),
            (Self.received("known", 5, content: "other"), ["report different"]),
            (Self.received("older", 4), ["report superseded"]),
            (Self.received("newer", 6, isExpired: true), ["keep expired", "report expired"]),
            (Self.received("newer", 6, isKnownKind: false), ["keep rejected", "report rejected"]),
            (Self.received("newer", 6), ["keep running", "report running", "carry out"]),
            (.finished(id: "known", .failed), isRunning ? ["keep failed", "report failed"] : []),
            (.finished(id: "known", .running), []),
            (.finished(id: "nobody", .failed), []),
            (.reported(id: "known"), []),
            (.reported(id: "nobody"), []),
        ]
        for (event, expected) in table {
            var ledger = Self.ledger(state)
            let before = ledger.entry("known")
            #expect(Self.summary(ledger.handle(event)) == expected, "\(state), \(event)")
            if case .received = event { #expect(ledger.entry("known") == before) }
        }
    }

    @Test("what is found at the start ends, goes on, or is reported", arguments: CommandLedger.Entry.State.allCases)
    func found(state: CommandLedger.Entry.State) {
        for isRepeatable in [false, true] {
            for isReported in [false, true] {
                var ledger = CommandLedger()
                let entry = CommandLedger.Entry(
                    id: "a", sequence: 3, content: "c", state: state, isReported: isReported)
                let actions = Self.summary(ledger.handle(.found(entry, isRepeatable: isRepeatable)))
                let expected: [String] =
                    switch (state, isRepeatable, isReported) {
                    case (.running, true, _): ["carry out"]
                    case (.running, false, _): ["keep interrupted", "report interrupted"]
                    case (_, _, true): []
                    case (_, _, false): ["report \(state)"]
                    }
                #expect(actions == expected, "\(state) \(isRepeatable) \(isReported)")
                #expect(ledger.highest == 3)
            }
        }
    }

    @Test("keeps the newest, and forgets no command that runs")
    func bounded() {
        var ledger = CommandLedger()
        _ = ledger.handle(Self.received("running", 1))
        for number in 2...UInt64(CommandLedger.most) {
            _ = ledger.handle(Self.received("\(number)", number))
            _ = ledger.handle(.finished(id: "\(number)", .succeeded))
        }
        #expect(Self.summary(ledger.handle(Self.received("last", 1000))).last == "forget")
        #expect(ledger.entries.count == CommandLedger.most)
        #expect(ledger.entry("running") != nil)
        #expect(ledger.entry("2") == nil)
        #expect(Self.summary(ledger.handle(Self.received("2", 2))) == ["report superseded"])
    }
}
