import ControlProtocol
import LinuxSystem
import Testing

@testable import OperatorCLI

@Suite(.timeLimit(.minutes(1))) struct EmitCommandTests {
    private let folder: String
    private let socket: TelemetrySocket

    init() throws {
        var random = SystemRandomNumberGenerator()
        folder = "/tmp/holdfast-emit-\(String(random.next(), radix: 36))"
        try SystemCall.makeDirectory(folder, permissions: 0o700)
        try SystemCall.makeDirectory("\(folder)/telemetry", permissions: 0o700)
        socket = try TelemetrySocket(path: "\(folder)/telemetry/camera")
    }

    private func run(_ arguments: [String], environment: [String: String]? = nil) throws -> (Int32, error: String) {
        let console = RecordedConsole(
            Console.Surroundings(environment: environment ?? [EmitCommand.socketVariable: socket.path]))
        let status = console.run(arguments)
        return (status, console.error)
    }

    private func received() throws -> String? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let number = try #require(socket.descriptor.rawValue)
        let message = try buffer.withUnsafeMutableBytes { try SystemCall.receive(number, into: $0).value }
        return message.map { String(decoding: buffer[..<$0.count], as: UTF8.self) }
    }

    @Test(
        "values are numbers, true, false and texts as they read",
        arguments: [
            (["fps=30", "temp=-1.5e3", "ok=true", "door=open"], #"{"fps":30,"temp":-1500.0,"ok":true,"door":"open"}"#),
            (["a=\"5\"", "b=", "c=x=y", "d=null", "e=[1]"], #"{"a":"5","b":"","c":"x=y","d":"null","e":"[1]"}"#),
            (["--event", "door-open", "by=Ada"], #"{"event":"door-open","by":"Ada"}"#),
            (["--event", "boot"], #"{"event":"boot"}"#),
            (["a=1", "--time", "2026-01-31T12:00:00Z"], #"{"time":"2026-01-31T12:00:00Z","a":1}"#),
        ])
    func values(arguments: [String], line: String) throws {
        let (status, error) = try run(["emit"] + arguments)
        #expect(status == 0, "\(error)")
        #expect(try received() == line)
    }

    @Test("a worker is found beside the control socket")
    func worker() throws {
        let (status, error) = try run(
            ["emit", "--worker", "camera", "--socket", "\(folder)/control.sock", "a=1"], environment: [:])
        #expect(status == 0, "\(error)")
        #expect(try received() == #"{"a":1}"#)
    }

    @Test(
        "wrong usage and missing sockets have statuses of their own",
        arguments: [
            (["emit"], 2), (["emit", "nonsense"], 2), (["emit", "=1"], 2), (["emit", "a=1", "a=2"], 2),
            (["emit", "event=x"], 2), (["emit", "--nonsense", "a=1"], 2), (["emit", "--worker", "a/b", "a=1"], 6),
            (["emit", "--worker", "nobody", "--socket", "/tmp/none/control.sock", "a=1"], 3),
        ] as [([String], Int32)])
    func failures(arguments: [String], expected: Int32) throws {
        let (status, error) = try run(arguments)
        #expect(status == expected)
        #expect(!error.isEmpty)
    }

    @Test("without a socket in the environment it says what to do")
    func noEnvironment() throws {
        let (status, error) = try run(["emit", "a=1"], environment: [:])
        #expect(status == 3)
        #expect(error.contains("--worker NAME"))
    }

    @Test("a full socket is waited for, but not for ever")
    func full() throws {
        let sender = try socket.connect()
        while case .done = try SystemCall.send(sender.rawValue, [UInt8](repeating: 1, count: 100)) {}
        let many = try (0..<8).map { _ in SharedDescriptor(try socket.connect()) }
        for other in many {
            while case .done = try SystemCall.send(other.rawValue ?? -1, [1]) {}
        }
        let (status, error) = try run(["emit", "--timeout", "0.05", "a=1"])
        #expect(status == 3)
        #expect(error.contains("is full"))
    }

    @Test("help comes from the whole command line")
    func help() throws {
        let console = RecordedConsole()
        #expect(console.run(["emit", "--help"]) == 0)
        #expect(console.output.contains("USAGE: holdfast emit"))
    }
}
