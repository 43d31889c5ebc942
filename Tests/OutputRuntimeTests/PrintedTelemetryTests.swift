import ControlProtocol
import LinuxSystem
import TestSupport
import Testing

@testable import OutputRuntime

@Suite(.timeLimit(.minutes(1))) struct PrintedTelemetryTests {
    private let output: OutputFixture
    private let socket: TelemetrySocket
    private let worker: SharedDescriptor

    init() throws {
        output = try OutputFixture()
        socket = try TelemetrySocket(path: "\(output.directory.path)/telemetry")
        try output.add("camera")
        worker = try output.openWriter("camera")
        try takeTelemetry(true)
    }

    private func takeTelemetry(_ isOn: Bool) throws {
        let outlet = try socket.connect()
        try output.send(
            ["type": "telemetry", "worker": "camera", "on": .bool(isOn)], descriptor: isOn ? outlet.rawValue : nil)
    }

    private func received() throws -> [String] {
        var found: [String] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let number = try #require(socket.descriptor.rawValue)
        while case .done(let message) = try buffer.withUnsafeMutableBytes({ try SystemCall.receive(number, into: $0) })
        {
            found.append(String(decoding: buffer[..<message.count], as: UTF8.self))
        }
        return found
    }

    @Test("lines that are JSON objects go to the socket, and all others into the log")
    func lines() throws {
        try output.write("hello\n{\"fps\": 30}\n  {\"event\": \"x\"}\n{broken\n[1]\n{\"a\":\n1}\nend\n", to: worker)
        try output.loop.pump("the last line") { output.logged("camera").last == "end" }
        #expect(try received() == [#"{"fps": 30}"#, #"  {"event": "x"}"#])
        #expect(output.logged("camera") == ["hello", "{broken", "[1]", "{\"a\":", "1}", "end"])
        #expect(try output.tail("camera") == ["hello", "{broken", "[1]", "{\"a\":", "1}", "end"])
        #expect(output.lost("camera") == LossCount())
    }

    @Test("the rest of a line that is too long is no line of its own")
    func pieces() throws {
        let long = String(repeating: "x", count: LineSplitter.defaultLongestLine)
        try output.write("\(long){\"fps\": 30}\nend\n", to: worker)
        try output.loop.pump("the last line") { output.logged("camera").last == "end" }
        #expect(try received() == [])
    }

    @Test("a full socket costs lines, which are counted, and holds nothing up")
    func full() throws {
        var sent = 0
        while sent < 3000 {
            try output.write(String(repeating: "{\"a\": 1}\n", count: 100), to: worker)
            sent += 100
            try output.loop.runOnce(timeout: .milliseconds(20))
        }
        try output.write("end\n", to: worker)
        try output.loop.pump("the last line") { output.logged("camera").last == "end" }
        let arrived = try received().count
        try output.loop.pump("the loss") { output.lost("camera").lines + arrived == sent }
        #expect(arrived > 0 && arrived < sent)
        #expect(
            output.reports(ofType: "lost").allSatisfy {
                $0["because"]?.stringValue == "its telemetry was not taken in time"
            })
    }

    @Test("switched off, every line is logged again")
    func off() throws {
        try takeTelemetry(false)
        try output.write("{\"a\": 1}\n", to: worker)
        try output.loop.pump("the line") { output.logged("camera") == ["{\"a\": 1}"] }
    }
}
