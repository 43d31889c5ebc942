import ControlProtocol
import LinuxSystem
import MonotonicTime
import Spool
import TestSupport
import Testing

@testable import UplinkRuntime

@Suite(.timeLimit(.minutes(1))) struct IntakeTests {
    private let bench: IntakeBench

    init() throws {
        bench = try IntakeBench()
    }

    @Test("a reading carries its worker, values, wall time, boot and time since boot")
    func reading() throws {
        try bench.add("camera")
        let before = WallClock.microseconds() / 1000
        try bench.send(#"{"fps": 30, "ok": true}"#, from: "camera")
        try bench.settle()
        let record = try #require(try bench.records("readings").first)
        #expect(record["w"] == "camera")
        #expect(record["v"]?.text == #"{"fps":30,"ok":true}"#)
        #expect(record["b"] == "3e1a99d04c5b")
        let wall = Int64(try #require(record["t"]?.intValue))
        #expect((before...WallClock.microseconds() / 1000).contains(wall))
        let sinceBoot = try #require(record["m"]?.intValue)
        #expect(abs(Int64(sinceBoot) - MonotonicClock.now().nanoseconds / 1_000_000) < 60_000)
        #expect(record["r"] == nil)
    }

    @Test("several objects of a datagram keep their order, and events go to their own queue")
    func several() throws {
        try bench.add("camera")
        try bench.send(
            #"{"a": 1}"# + "\n\n \r\n" + #"{"event": "door-open", "by": "Ada"}"# + "\n" + #"{"a": 2, "time": 5}"#
                + "\n",
            from: "camera")
        try bench.settle()
        #expect(try bench.values() == [#"{"a":1}"#, #"{"a":2}"#])
        #expect(try bench.records("readings").last?["t"] == 5)
        let event = try #require(try bench.records("events").first)
        #expect(event["e"] == "worker" && event["w"] == "camera" && event["name"] == "door-open")
        #expect(event["data"]?.text == #"{"by":"Ada"}"#)
        #expect(bench.losses == [])
    }

    @Test("bad lines are counted and told once, and the good ones beside them are kept")
    func faults() throws {
        try bench.add("camera")
        for _ in 0..<5 { try bench.send("{\"a\": 1}\n{\"a\": \n{\"b\": 2}", from: "camera") }
        try bench.settle()
        #expect(try bench.values().count == 10)
        #expect(bench.losses.count == 1)
        #expect(bench.losses.first?.hasPrefix("telemetry of camera was not taken in: 1 malformed (") == true)
        bench.intake?.finish()
        let told = try bench.records("events").map {
            "\($0["e"]?.text ?? "") \($0["reason"]?.text ?? "") \($0["count"]?.text ?? "")"
        }
        #expect(told == [#""loss" "malformed" 1"#, #""loss" "malformed" 4"#])
    }

    @Test("a datagram of 64 KiB is taken, and a longer one is too large")
    func sizes() throws {
        try bench.add("camera")
        let line = #"{"a": 1}"# + "\n"
        let full = String(repeating: line, count: 64 * 1024 / line.utf8.count)
        let blanks = String(repeating: " ", count: 64 * 1024 - full.utf8.count)
        #expect(try bench.send(full + blanks, from: "camera"))
        #expect(try bench.send(full + blanks + " ", from: "camera"))
        #expect(try bench.send(line, from: "camera"))
        try bench.settle()
        #expect(try bench.values().count == 64 * 1024 / line.utf8.count + 1)
        #expect(bench.losses.map { $0.contains("1 too-large") } == [true])
    }

    @Test("who sends more than its rate loses what is beyond, and nobody else does")
    func rate() throws {
        try bench.add("noisy", rate: 50)
        try bench.add("quiet")
        for number in 0..<200 {
            try bench.send("{\"n\": \(number)}", from: "noisy")
            try bench.send("{\"q\": \(number)}", from: "quiet")
            if number % 40 == 39 { try bench.settle() }
        }
        try bench.settle()
        let values = try bench.values()
        let noisy = values.count { $0.hasPrefix(#"{"n""#) }
        #expect((50..<200).contains(noisy))
        #expect(values.count - noisy == 200)
        #expect(bench.losses.map { $0.contains("1 rate (more than telemetry_rate, 50 a second)") } == [true])
    }

    @Test("three flood, and a quiet one loses nothing")
    func fairness() throws {
        for worker in ["a", "b", "c"] { try bench.add(worker, rate: 500) }
        try bench.add("quiet")
        let chunk = String(repeating: #"{"x": 1}"# + "\n", count: 100)
        for number in 0..<300 {
            // As much as the sockets take.
            for worker in ["a", "b", "c"] { while try bench.send(chunk, from: worker) {} }
            #expect(try bench.send("{\"q\": \(number)}", from: "quiet"), "its own queue has room")
            try bench.loop.runOnce(timeout: .zero)
        }
        try bench.settle()
        #expect(try bench.values().filter { $0.hasPrefix(#"{"q""#) }.count == 300)
    }

    @Test("what waits in the sockets outlives the process, in order")
    func restart() throws {
        try bench.add("camera")
        try bench.send(#"{"n": 1}"#, from: "camera")
        try bench.settle()
        bench.kill()
        try bench.send(#"{"n": 2}"#, from: "camera")
        try bench.send(#"{"n": 3}"#, from: "camera")
        try bench.start()
        try bench.settle()
        #expect(try bench.values() == [#"{"n":1}"#, #"{"n":2}"#, #"{"n":3}"#])
        #expect(try bench.records("readings").allSatisfy { $0["r"] == nil })
    }

    @Test("killed between storing and taking, a datagram is stored twice and marked", arguments: [false, true])
    func repeated(isEvent: Bool) throws {
        let queue = isEvent ? "events" : "readings"
        let text = isEvent ? #"{"event": "x", "n": 2}"# : #"{"n": 2}"#
        try bench.add("camera")
        try bench.add("other")
        try bench.send(#"{"n": 1}"#, from: "camera")
        try bench.settle()
        try bench.send(text, from: "camera")
        // From then on it takes nothing, as one that is dead.
        try FaultInjection.during("recv", errno: 5) { try bench.settle() }
        bench.kill()
        try bench.send(#"{"n": 3}"#, from: "other")
        // Said once more: that is no repeat.
        try bench.send(text, from: "camera")
        try bench.start()
        try bench.settle()
        let stored = try bench.records(queue).filter { $0["w"] == "camera" }.suffix(3)
        #expect(stored.map { $0["r"] == true } == [false, true, false])
        #expect(Set(stored.map { ($0["v"] ?? $0["data"])?.text }) == [#"{"n":2}"#])
    }

    @Test("who waits for the disk is told once it is safe, and why not when it is not taken")
    func syncing() throws {
        try bench.add("camera")
        let (readEnd, writeEnd) = try SystemCall.makePipe().shared()
        let (secondEnd, refused) = try SystemCall.makePipe().shared()
        try bench.send(#"{"n": 1}"#, from: "camera", descriptors: [try #require(writeEnd.rawValue)])
        try bench.send(#"{"n": "#, from: "camera", descriptors: [try #require(refused.rawValue)])
        writeEnd.close()
        refused.close()
        try bench.loop.pump("the sync") { bench.readings?.statistics.synced == 1 }
        #expect(try text(readEnd) == "+")
        #expect(try text(secondEnd).hasPrefix("not taken in (malformed): "))
    }

    private func text(_ pipe: SharedDescriptor) throws -> String {
        var bytes = [UInt8](repeating: 0, count: 1024)
        let number = try #require(pipe.rawValue)
        let result = try bytes.withUnsafeMutableBytes { try SystemCall.read(number, into: $0) }
        return String(decoding: bytes.prefix(result.value ?? 0), as: UTF8.self)
    }

    @Test("a spool that refuses is told as a loss, and what fits is kept")
    func refusal() throws {
        let bench = try IntakeBench(quota: 256 * 1024, whenFull: .refuse)
        try bench.add("camera")
        let line = #"{"a": ""# + String(repeating: "x", count: 200) + "\"}\n"
        for _ in 0..<12 {
            try bench.send(String(repeating: line, count: 200), from: "camera")
            try bench.settle()
        }
        let kept = try bench.values().count
        #expect(kept > 500 && kept < 2400)
        #expect(bench.losses.first?.contains(" full (the spool is full") == true)
        bench.intake?.finish()
        let lost = try bench.records("events").reduce(0) { $0 + ($1["count"]?.intValue ?? 0) }
        #expect(kept + lost == 2400)
    }

    @Test("while the disk takes nothing, telemetry waits in the sockets, and comes once when it does again")
    func trouble() throws {
        try bench.add("camera")
        let (readEnd, writeEnd) = try SystemCall.makePipe().shared()
        try bench.send("{\"n\": 1}\n{\"event\": \"e\"}", from: "camera", descriptors: [try #require(writeEnd.rawValue)])
        try bench.send(#"{"n": 2}"#, from: "camera")
        try FaultInjection.during("pwrite", errno: 5) {
            try bench.settle()
            #expect(bench.losses.map { $0.hasPrefix("telemetry waits in its sockets: ") } == [true])
        }
        try bench.loop.pump("the disk's return") { bench.losses.count == 2 }
        try bench.settle()
        #expect(bench.losses.last == "telemetry is taken in again")
        #expect(try bench.values() == [#"{"n":1}"#, #"{"n":2}"#])
        #expect(try bench.records("events").count == 1)
        withExtendedLifetime((readEnd, writeEnd)) {}
    }

    @Test("readings of the runtime itself come in parts of 64 values")
    func own() throws {
        bench.intake?.take((0..<100).map { ("v\($0)", .int(Int64($0))) }, of: "holdfast")
        let records = try bench.records("readings")
        #expect(records.map { $0["v"]?.objectValue?.members.count } == [64, 36])
        #expect(records.allSatisfy { $0["w"] == "holdfast" })
    }

    @Test("a worker that is forgotten has its last words stored first")
    func forgotten() throws {
        try bench.add("camera")
        try bench.send(#"{"n": 1}"#, from: "camera")
        bench.intake?.forget("camera")
        try bench.send(#"{"n": 2}"#, from: "camera")
        try bench.settle()
        #expect(try bench.values() == [#"{"n":1}"#])
    }
}
