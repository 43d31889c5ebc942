import ControlProtocol
import LinuxSystem
import MonotonicTime
import Testing

@testable import SupervisorRuntime

/// What a `holdfast-output` that the test plays is told over a real channel.
@Suite(.timeLimit(.minutes(1))) struct OutputLinkTests {
    let loop: EventLoop
    let chronicle: Chronicle
    let firstNumber: Int
    let link: OutputLink

    init() throws {
        loop = try EventLoop()
        // An earlier runtime has recorded some, which are nobody's to log.
        chronicle = Chronicle(eventCapacity: 50, incidentCapacity: 1, lastEvent: 7, loop: loop)
        firstNumber = chronicle.events.next
        link = OutputLink(loop: loop, chronicle: chronicle, longestQueue: 10)
        chronicle.onEvent = { [link] _ in link.logEvents() }
        link.onConnect = { [link] in link.logEvents() }
        link.onMissed = { [chronicle] in chronicle.recordMissed($0) }
    }

    private func record(_ count: Int) {
        for _ in 0..<count { chronicle.record(.warning, String(repeating: "x", count: 500)) }
    }

    private func read(_ stream: borrowing UnixStream, into events: inout [EventReport]) throws {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case .done(let message) = try buffer.withUnsafeMutableBytes({ try stream.receive(into: $0) }),
            message.count > 0
        {
            let packet = try JSONValue.parse(Array(buffer[..<message.count]))
            if packet["type"]?.stringValue == "event" { events.append(try EventReport(json: packet["event"] ?? .null)) }
        }
    }

    /// Reads until the newest event has come.
    private func readAll(_ stream: borrowing UnixStream) throws -> [EventReport] {
        var events: [EventReport] = []
        let deadline = MonotonicClock.now() + .seconds(10)
        while events.last?.sequence != chronicle.events.next - 1 {
            try #require(MonotonicClock.now() < deadline, "the last event came was \(events.last?.sequence ?? 0)")
            try loop.runOnce(timeout: .milliseconds(10))
            try read(stream, into: &events)
        }
        return events
    }

    @Test func `events from before its time are logged, as far as the ring has them`() throws {
        record(20)
        let stream = try link.connect()
        record(5)
        #expect(try readAll(stream).map(\.sequence) == Array(firstNumber..<firstNumber + 25))
        #expect(link.missedEvents == 0)
    }

    @Test func `what a process that does not read has missed is counted, and told by number when it reads again`()
        throws
    {
        let stream = try link.connect()
        record(1000)
        // Some turns of the loop: the channel is filled.
        for _ in 0..<5 { try loop.runOnce(timeout: .milliseconds(25)) }
        record(1000)
        let events = try readAll(stream)
        let lost = events.filter { $0.kind == "events-lost" }
        #expect(!lost.isEmpty)
        var accounted = events.map(\.sequence)
        for event in lost {
            let first = try #require(event.details["first"]?.intValue)
            let last = try #require(event.details["last"]?.intValue)
            #expect(event.details["events"]?.intValue == last - first + 1)
            accounted += Array(first...last)
        }
        #expect(accounted.sorted() == Array(firstNumber..<chronicle.events.next))
        #expect(link.missedEvents == lost.reduce(0) { $0 + ($1.details["events"]?.intValue ?? 0) })
        // In order, and each once.
        #expect(events.map(\.sequence) == events.map(\.sequence).sorted())
    }

    @Test func `what a process has not confirmed goes to the next one, and nothing else`() throws {
        do {
            let first = try link.connect()
            record(5)
            #expect(try readAll(first).map(\.sequence) == Array(firstNumber..<firstNumber + 5))
            let confirmation: JSONValue = ["type": "logged", "event": .int(Int64(firstNumber + 2))]
            _ = try first.send(confirmation.serialised())
            try loop.runOnce(timeout: .seconds(1))
        }
        record(5)
        let second = try link.connect()
        #expect(try readAll(second).map(\.sequence) == Array(firstNumber + 3..<firstNumber + 10))
    }

    @Test func `the last words of a process that is gone are heard`() throws {
        var lost: [LossLedger.Share] = []
        link.onLost = { lost.append($1) }
        do {
            let first = try link.connect()
            record(5)
            _ = try readAll(first)
            // Unread when it goes: then the first that holdfastd hears is an error.
            record(1)
            for _ in 0..<5 { try loop.runOnce(timeout: .milliseconds(25)) }
            for message in [
                ["type": "lost", "worker": "a", "lines": 3, "bytes": 30, "because": "its rate"],
                ["type": "logged", "event": .int(Int64(firstNumber + 4))],
            ] as [JSONValue] {
                _ = try first.send(message.serialised())
            }
        }
        // Its successor is there before the loop has turned.
        let second = try link.connect()
        #expect(lost == [LossLedger.Share(lines: 3, bytes: 30, because: "its rate")])
        #expect(try readAll(second).map(\.sequence) == [firstNumber + 5])
    }
}
