import Delivery
import DownloadProtocol
import FleetTransfer
import MonotonicTime
import Testing

@testable import UplinkRuntime

@Suite("One download")
struct DownloadMachineTests {
    private typealias Action = DownloadMachine.Action

    private static let hash = String(repeating: "0f", count: 32)
    private let start = MonotonicInstant(nanoseconds: 1_000_000_000)
    private var jitter = Jitter(isNone: true)

    private func machine(
        _ source: DownloadOrder.Source = .content(sha256: hash, length: 100), offset: Int = 0, present: Int? = nil
    ) -> DownloadMachine {
        DownloadMachine(
            DownloadOrder(source, offset: offset, minimumSpeed: 1, within: .seconds(60)), present: present ?? offset,
            at: start)
    }

    private static func answer(_ status: Int, _ fields: [String: String] = [:]) -> DownloadAnswer {
        let head = "HTTP/1.1 \(status) X\r\n" + fields.map { "\($0.key): \($0.value)\r\n" }.joined()
        return DownloadAnswer(HTTPAnswer(status: status, head: head, body: []), now: 0, isToBeSignedAgain: false)
    }

    @discardableResult
    private mutating func tell(
        _ machine: inout DownloadMachine, _ event: DownloadMachine.Event, after time: Duration = .zero
    ) -> [Action] {
        machine.handle(event, at: start + time, using: &jitter)
    }

    @Test("asks for what is missing, and for everything where nothing is there")
    mutating func offsets() {
        for (offset, present, asked) in [(0, 0, 0), (40, 40, 40), (40, 10, 10), (40, 100, 40)] {
            var machine = machine(offset: offset, present: present)
            #expect(tell(&machine, .begun) == [.ask(from: asked)])
        }
        var complete = machine(offset: 100)
        #expect(tell(&complete, .begun) == [.finish(length: 100)])
        var metadata = machine(.metadata(name: "root.json", longest: 10), offset: 7)
        #expect(tell(&metadata, .begun) == [.ask(from: 0)])
    }

    @Test(
        "takes the part that it has asked for and no other",
        arguments: [
            ("bytes 40-99/100", true), ("Bytes 40-99/100", true), ("bytes 41-99/100", false),
            ("bytes 40-98/100", false),
            ("bytes 40-99/101", false), ("bytes 40-99/*", false), ("bytes */100", false), ("40-99/100", false),
            ("bytes 40-99/100/1", false), ("bytes -40-99/100", false), ("bytes 99-40/100", false),
            ("bytes 40-99/100000000000000000000", false), ("", false),
        ])
    mutating func ranges(text: String, isGood: Bool) {
        var machine = machine(offset: 40)
        tell(&machine, .begun)
        let actions = tell(&machine, .answered(Self.answer(206, ["Content-Range": text])))
        #expect(actions.isEmpty == isGood)
        #expect(machine.state == (isGood ? .receiving : .ended))
        if isGood { #expect(tell(&machine, .received(60)) == [.write(at: 40)]) }
    }

    @Test("begins anew where central sends everything, or has no such part")
    mutating func whole() {
        var again = machine(offset: 40)
        tell(&again, .begun)
        #expect(tell(&again, .answered(Self.answer(200, ["Content-Length": "100"]))) == [.setLength(0)])
        #expect(tell(&again, .received(30)) == [.write(at: 0)])
        var gone = machine(offset: 40)
        tell(&gone, .begun)
        let actions = tell(&gone, .answered(Self.answer(416)))
        #expect(actions.prefix(2) == [.setLength(0), .cancel])
        #expect(tell(&gone, .deadlineReached, after: .seconds(1)) == [.ask(from: 0)])
        tell(&gone, .answered(Self.answer(416)), after: .seconds(1))
        #expect(gone.state == .ended, "nothing was asked for that could be missing")
    }

    @Test("never writes beyond the end")
    mutating func tooMuch() {
        var machine = machine()
        tell(&machine, .begun)
        tell(&machine, .answered(Self.answer(200)))
        #expect(tell(&machine, .received(99)) == [.write(at: 0)])
        #expect(tell(&machine, .received(2)).prefix(1) == [.cancel])
        #expect(machine.state == .ended)
        #expect(tell(&machine, .received(1)) == [])
    }

    @Test("waits longer after each failure, and not after one that has brought something; its time is a limit for all")
    mutating func patience() {
        var machine = machine()
        var random = Highest()
        func wait(_ machine: DownloadMachine, from now: MonotonicInstant) -> Duration {
            guard case .waiting(let until) = machine.state else { return .zero }
            return now.duration(to: until)
        }
        var now = start
        _ = machine.handle(.begun, at: now, using: &random)
        var waits: [Duration] = []
        for _ in 0..<4 {
            _ = machine.handle(.broke("no"), at: now, using: &random)
            waits.append(wait(machine, from: now))
            now = now + waits[waits.count - 1]
            _ = machine.handle(.deadlineReached, at: now, using: &random)
        }
        #expect(zip(waits, [2, 4, 8, 16]).allSatisfy { abs($0.inSeconds - Double($1)) < 0.01 }, "\(waits)")
        _ = machine.handle(.answered(Self.answer(200)), at: now, using: &random)
        _ = machine.handle(.received(1), at: now, using: &random)
        _ = machine.handle(.broke("no"), at: now, using: &random)
        #expect(wait(machine, from: now) < .seconds(2.1))
        // The same bytes once more are no progress.
        now = now + .seconds(3)
        _ = machine.handle(.deadlineReached, at: now, using: &random)
        _ = machine.handle(.answered(Self.answer(200)), at: now, using: &random)
        _ = machine.handle(.received(1), at: now, using: &random)
        _ = machine.handle(.broke("no"), at: now, using: &random)
        #expect(wait(machine, from: now) > .seconds(3))
        #expect(machine.nextDeadline ?? .zero <= start + .seconds(60))
        let last = machine.handle(.deadlineReached, at: start + .seconds(60), using: &random)
        guard case .end(let failure)? = last.last else {
            Issue.record("it goes on for ever")
            return
        }
        #expect(failure.code == .tooLate)
    }

    @Test("central may say how long it wants to be left alone, up to an hour")
    mutating func throttle() {
        for (said, waited) in [("7", 7), ("100000", 3600)] {
            var machine = machine()
            tell(&machine, .begun)
            tell(&machine, .answered(Self.answer(503, ["Retry-After": said])))
            #expect(machine.state == .waiting(until: start + .seconds(waited)))
        }
    }

    /// Every event in every state: nothing traps, an end is one, and each action but the end leaves something to wait for.
    @Test("knows what to do in every state")
    mutating func total() {
        let events: [DownloadMachine.Event] =
            [200, 206, 302, 400, 401, 403, 404, 408, 416, 429, 500, 503, 100, 0].map { .answered(Self.answer($0)) }
            + [
                .begun, .received(0), .received(50), .received(101), .completed, .broke("x"),
                .cannotAsk("x", mayPass: true), .cannotAsk("x", mayPass: false), .storageFailed("x"), .stopped,
                .deadlineReached,
            ]
        let sources: [DownloadOrder.Source] = [
            .content(sha256: Self.hash, length: 100), .metadata(name: "a", longest: 100),
        ]
        for source in sources {
            for path in Self.paths(events.count, depth: 3) {
                var machine = machine(source, offset: 10)
                var ends = 0
                tell(&machine, .begun)
                for (step, index) in path.enumerated() {
                    let wasOver = machine.state == .ended
                    let actions = tell(&machine, events[index], after: .seconds(step * 15))
                    ends += actions.count { action in
                        switch action {
                        case .end, .finish: true
                        default: false
                        }
                    }
                    #expect(!wasOver || actions.isEmpty)
                    #expect((machine.state == .ended) == (machine.nextDeadline == nil))
                    #expect((0...100).contains(machine.position))
                }
                #expect(ends <= 1)
            }
        }
    }

    private static func paths(_ count: Int, depth: Int) -> [[Int]] {
        depth == 0 ? [[]] : paths(count, depth: depth - 1).flatMap { path in (0..<count).map { path + [$0] } }
    }
}

/// The longest waits.
private struct Highest: RandomNumberGenerator {
    mutating func next() -> UInt64 { .max }
}
