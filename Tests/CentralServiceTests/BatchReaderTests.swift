import CentralStore
import ControlProtocol
import FleetAPI
import Testing

@testable import CentralService

@Suite("Reading a batch")
struct BatchReaderTests {
    private let reading = #"{"w":"camera","t":5,"b":"3e1a","m":9,"v":{"fps":30,"ok":true,"s":"x","d":0.5},"new":[1]}"#

    private func header(_ first: Int, _ last: Int, queue: String = "readings") -> String {
        #"{"spool":"\#(spool)","queue":"\#(queue)","first":\#(first),"last":\#(last),"sent_ms":7,"after":"0000002a"}"#
    }

    private func read(_ lines: String...) throws -> TelemetryBatch {
        try BatchReader.read(Array(lines.joined(separator: "\n").utf8))
    }

    private func refusedLine(_ lines: String...) -> Int? {
        do {
            _ = try BatchReader.read(Array(lines.joined(separator: "\n").utf8))
            return nil
        } catch {
            return (error as? BatchReader.Refusal)?.line
        }
    }

    @Test("values, gaps and checksums, with or without a last line feed")
    func good() throws {
        let batch = try read(header(10, 14), reading, #"{"gap":[11,13]}"#, reading, "")
        #expect(batch.values.count == 8)
        #expect(batch.series.map(\.name).sorted() == ["d", "fps", "ok", "s"])
        #expect(batch.values.map(\.sequence) == [10, 10, 10, 10, 14, 14, 14, 14])
        #expect(batch.gaps == [11...13])
        #expect(batch.checksum(of: 10) == batch.checksum(of: 14))
        #expect(batch.checksum(of: 12) == nil)
        #expect(batch.header.after == 42)
        let value = try #require(batch.values.first { batch.series[Int($0.series)].name == "ok" })
        #expect(value.value == .bool(true))
        #expect(value.time == 5 && value.monotonic == 9 && batch.boots == ["3e1a"])
    }

    @Test("events keep everything they bring")
    func events() throws {
        let batch = try read(
            header(1, 1, queue: "events"),
            #"{"e":"worker","t":1,"b":"x","m":2,"w":"door","name":"open","data":{"a":[1]},"r":true}"#)
        #expect(batch.events.first?.kind == "worker")
        #expect(batch.events.first?.isRepeat == true)
        #expect(batch.events.first?.body["data"] == ["a": [1]])
    }

    @Test(
        "what is wrong is refused with its line",
        arguments: [
            #"{"w":"camera","t":5,"b":"3e1a","m":9,"v":{}}"#, #"{"w":"camera","t":5,"b":"3e1a","m":9}"#,
            #"{"w":"","t":5,"b":"3e1a","m":9,"v":{"a":1}}"#, #"{"w":"c","t":"5","b":"3e1a","m":9,"v":{"a":1}}"#,
            #"{"w":"c","t":5,"m":9,"v":{"a":1}}"#, #"{"w":"c","t":5,"b":"x","m":9,"v":{"a":null}}"#,
            #"{"w":"c","t":5,"b":"x","m":9,"v":{"a":{"b":1}}}"#, #"{"w":"c","t":5,"b":"x","m":9,"v":{"a":1,"a":2}}"#,
            #"{"w":"c","t":5,"b":"x","m":9,"v":{"":1}}"#, #"{"w":"c","t":5.5,"b":"x","m":9,"v":{"a":1}}"#,
            "[]", "1", "", "{", "\u{0}", #"{"gap":[1,9]}"#, #"{"gap":[3,9]}"#, #"{"gap":[2,1]}"#, #"{"gap":[2]}"#,
            #"{"w":"c","t":5,"b":"x","m":9,"v":{"a":1e999}}"#,
            #"{"w":"c","t":5,"b":"x","m":9,"v":{"a":1},"deep":"# + String(repeating: "[", count: 5000)
                + String(repeating: "]", count: 5000) + "}",
        ])
    func refused(_ line: String) { #expect(refusedLine(header(1, 3), reading, line, reading) == 3) }

    @Test("a text longer than allowed, or more values, is refused; exactly as many is not")
    func limits() {
        func texts(_ bytes: Int) -> String {
            #"{"w":"c","t":5,"b":"x","m":9,"v":{"a":"\#(String(repeating: "x", count: bytes))"}}"#
        }
        func values(_ count: Int) -> String {
            #"{"w":"c","t":5,"b":"x","m":9,"v":{"# + (0..<count).map { "\"v\($0)\":1" }.joined(separator: ",") + "}}"
        }
        #expect(refusedLine(header(1, 1), texts(256)) == nil)
        #expect(refusedLine(header(1, 1), texts(257)) == 2)
        #expect(refusedLine(header(1, 1), values(64)) == nil)
        #expect(refusedLine(header(1, 1), values(65)) == 2)
    }

    @Test("records have to be exactly those of the header")
    func count() {
        #expect(refusedLine(header(1, 2), reading) == 2)
        #expect(refusedLine(header(1, 1), reading, reading) == 3)
        #expect(refusedLine("") == 1)
        #expect(refusedLine("{}") == 1)
        #expect(refusedLine(header(0, 1), reading) == 1)
    }

    @Test("too many lines are to be halved, not dropped")
    func tooMany() {
        let count = BatchLimits.lines
        let lines = [header(1, count)] + Array(repeating: reading, count: count)
        #expect(throws: FleetError.tooManyLines) {
            try BatchReader.read(Array(lines.joined(separator: "\n").utf8))
        }
    }
}
