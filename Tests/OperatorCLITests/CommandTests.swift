import ControlProtocol
import Foundation
import Synchronization
import Testing

@testable import OperatorCLI

/// Whole command lines against a scripted runtime: output, errors and exit status.
@Suite(.timeLimit(.minutes(1))) struct CommandTests {
    /// Runs a command line, in which SOCKET stands for the server's path.
    private func run(
        _ commandLine: String, _ surroundings: Console.Surroundings = Console.Surroundings(),
        answering react: @escaping @Sendable (RuntimeMethod) -> [VarlinkReply] = { _ in [] }
    ) throws -> (status: Int32, output: String, error: String, calls: [RuntimeMethod]) {
        let methods = Mutex<[RuntimeMethod]>([])
        let server = try ScriptedServer { call in
            guard case .runtime(let method)? = try? ControlRequest(call) else { return .sendAndClose([]) }
            methods.withLock { $0.append(method) }
            if method == .status, react(method).isEmpty { return .reply([VarlinkReply(Fixtures.status)]) }
            if method == .health, react(method).isEmpty {
                return .reply([RuntimeError.monitorUnavailable(message: "down").reply])
            }
            return .reply(react(method))
        }
        defer { server.stop() }
        let console = RecordedConsole(surroundings)
        let status = console.run(commandLine.replacing("SOCKET", with: server.path))
        return (status, console.output, console.error, methods.withLock { $0 })
    }

    @Test func `status --json prints the reply of the method and nothing else`() throws {
        let result = try run("status --json --socket SOCKET")
        #expect(result.status == 0)
        #expect(result.output == Fixtures.status.json.text + "\n")
        #expect(result.error == "")
    }

    @Test(arguments: [
        "--socket SOCKET status --json", "--json --socket=SOCKET --timeout 5 status", "--json status --socket SOCKET",
        "--no-color --socket SOCKET --json status --",
    ])
    func `the shared options may stand before the command`(commandLine: String) throws {
        let result = try run(commandLine)
        #expect(result.status == 0, "\(result.error)")
        #expect(result.output == Fixtures.status.json.text + "\n")
    }

    @Test(arguments: ["--socket", "--json", "--socket SOCKET", "--json --nonsense status"])
    func `without a command the shared options are wrong usage`(commandLine: String) throws {
        #expect(try run(commandLine).status == 2)
    }

    @Test func `status --json lets through what a newer runtime adds`() throws {
        let result = try run("status --json --socket SOCKET") { _ in [VarlinkReply(parameters: ["novel": 1])] }
        #expect(result.output == "{\"novel\":1}\n")
    }

    @Test func `status is 0 also when workers have failed`() throws {
        let result = try run("status --socket SOCKET")
        #expect(result.status == 0)
        #expect(result.output.contains("1 failed"))
    }

    @Test func `the socket is found by the environment`() throws {
        let server = try ScriptedServer(status: Fixtures.status)
        defer { server.stop() }
        let console = RecordedConsole(Console.Surroundings(environment: ["HOLDFAST_SOCKET": server.path]))
        #expect(console.run("tree") == 0)
        #expect(console.output.contains("└─ logger"))
    }

    @Test(arguments: [
        ("start", RuntimeMethod.startWorker(name: "camera")), ("stop", .stopWorker(name: "camera")),
        ("restart", .restartWorker(name: "camera")), ("pause", .pauseWorker(name: "camera")),
        ("resume", .resumeWorker(name: "camera")),
    ])
    func `each worker command asks for its method and shows the worker`(name: String, method: RuntimeMethod) throws {
        let result = try run("worker \(name) camera --socket SOCKET") { $0 == method ? [VarlinkReply()] : [] }
        #expect(result.status == 0)
        #expect(result.calls == [method, .status])
        #expect(result.output == "camera: ready, “30 frames/s”\n")
    }

    @Test func `a worker command with --json prints the worker`() throws {
        let result = try run("worker stop camera --json --socket SOCKET") { $0 == .status ? [] : [VarlinkReply()] }
        let document = try JSONValue.parse(Array(result.output.utf8))
        #expect(try document["worker"].map(WorkerReport.init(json:)) == Fixtures.status.workers[1])
    }

    @Test func `tree --json nests the children`() throws {
        let result = try run("tree --json --socket SOCKET")
        let root = try JSONValue.parse(Array(result.output.utf8))["tree"]?.arrayValue?.first
        #expect(root?["kind"] == "supervisor")
        #expect(root?["children"]?.arrayValue?.map { $0["name"] } == ["system", "vision", "logger"])
        #expect(root?["children"]?.arrayValue?.last?["kind"] == "worker")
    }

    private static let event = EventReport(
        sequence: 41, time: 0, monotonic: 0, kind: "warning", worker: nil, supervisor: nil, message: "careful")

    @Test func `events print one object a line`() throws {
        let result = try run("events --since 40 --json --socket SOCKET") { _ in
            [
                VarlinkReply(EventsReply(event: Self.event, firstAvailable: 41), continues: true),
                VarlinkReply(EventsReply(firstAvailable: 41)),
            ]
        }
        #expect(result.calls == [.events(since: 40, follow: false)])
        #expect(result.output == Self.event.json.text + "\n")
        #expect(result.error == "")
    }

    @Test func `events --json say on standard error which are no longer kept, also while following`() throws {
        var later = Self.event
        later.sequence = 45
        let result = try run("events --since 5 --follow --json --socket SOCKET") { [later] _ in
            [
                VarlinkReply(EventsReply(event: Self.event, firstAvailable: 41), continues: true),
                VarlinkReply(EventsReply(event: later, firstAvailable: 45)),
            ]
        }
        #expect(result.output == Self.event.json.text + "\n" + later.json.text + "\n")
        #expect(
            result.error
                == "holdfast: events 6 to 40 are no longer kept\nholdfast: events 42 to 44 are no longer kept\n")
    }

    @Test(arguments: ["worker pause vision", "logs vision", "logs vision --follow", "incidents vision"])
    func `a supervisor where a worker is meant is called one`(commandLine: String) throws {
        let result = try run("\(commandLine) --socket SOCKET") { method in
            method == .status ? [] : [RuntimeError.noSuchWorker(name: "vision").reply]
        }
        #expect(result.status == 6)
        #expect(
            result.error
                == "holdfast: vision is a supervisor, not a worker (holdfast tree shows the workers below it)\n")
    }

    @Test func `an empty path of the socket is none`() throws {
        let server = try ScriptedServer(status: Fixtures.status)
        defer { server.stop() }
        let console = RecordedConsole(Console.Surroundings(environment: ["HOLDFAST_SOCKET": server.path]))
        #expect(console.run(["status", "--socket", ""]) == 0, "\(console.error)")
    }

    @Test(arguments: [
        ("logs x -n -1", "The number of lines is not negative."),
        ("incidents --limit 0", "The limit must be 1 at least."),
        ("incidents --limit -1", "The limit must be 1 at least."),
        ("events --since -1", "The number of an event is not negative."),
    ])
    func `a number out of range is told its range`(commandLine: String, message: String) {
        let console = RecordedConsole()
        #expect(console.run(commandLine) == 2)
        #expect(console.error.contains(message), "\(console.error)")
    }

    @Test func `events say which are no longer kept`() throws {
        let result = try run("events --since 5 --socket SOCKET") { _ in
            [VarlinkReply(EventsReply(event: Self.event, firstAvailable: 41))]
        }
        #expect(result.output.hasSuffix("careful\n"))
        #expect(result.error == "holdfast: events 6 to 40 are no longer kept\n")
    }

    @Test func `logs ask for the lines wanted and escape what a worker wrote`() throws {
        let line = LogLineReport(time: 0, worker: "camera", line: "\u{1b}[2Jgone", lost: 0)
        let result = try run("logs camera -n 3 --socket SOCKET") { _ in [VarlinkReply(LogsReply(line: line))] }
        #expect(result.calls == [.logs(worker: "camera", lines: 3, follow: false)])
        #expect(result.output.hasSuffix("  \\u{1b}[2Jgone\n"))
        let raw = try run("logs camera --raw --socket SOCKET") { _ in [VarlinkReply(LogsReply(line: line))] }
        #expect(raw.output == "\u{1b}[2Jgone\n")
    }

    private static func lines(_ lines: (Double, String)...) -> [UInt8] {
        lines.flatMap { time, text in
            let report = LogLineReport(time: time, worker: "camera", line: text, lost: 0)
            return MessageFramer.frame(VarlinkReply(LogsReply(line: report), continues: true))
        }
    }

    @Test func `logs --follow goes on when the call ends, prints no line twice and misses none`() throws {
        let calls = Counter()
        let methods = Mutex<[RuntimeMethod]>([])
        let server = try ScriptedServer { call in
            if case .runtime(let method)? = try? ControlRequest(call) { methods.withLock { $0.append(method) } }
            return switch calls.next() {
            case 1: .sendAndClose(Self.lines((100, "one"), (101, "two")))
            case 2: .sendAndClose(Self.lines((100, "one"), (101, "two"), (102, "three")))
            case 3: .sendAndClose(MessageFramer.frame(RuntimeError.outputUnavailable(message: "later").reply))
            case 4: .sendAndClose(Self.lines((4_000_000_000, "four")))
            // The clock was set back meanwhile.
            case 5: .sendAndClose(Self.lines((Date().timeIntervalSince1970 + 1, "five")))
            case 6: .sendAndClose(MessageFramer.frame(VarlinkReply(LogsReply(line: nil))))
            default: .reply([RuntimeError.noSuchWorker(name: "camera").reply])
            }
        }
        defer { server.stop() }
        let console = RecordedConsole()
        #expect(console.run("logs camera --follow --raw -n 7 --socket \(server.path)") == 6)
        #expect(console.output == "one\ntwo\nthree\nfour\nfive\n")
        #expect(methods.withLock { $0.first } == .logs(worker: "camera", lines: 7, follow: true))
    }

    @Test func `logs --follow says after a while that there is no runtime any more`() throws {
        let path = Mutex("")
        let server = try ScriptedServer { _ in
            try? FileManager.default.removeItem(atPath: path.withLock { $0 })
            return .sendAndClose(Self.lines((100, "one")))
        }
        defer { server.stop() }
        path.withLock { $0 = server.path }
        let console = RecordedConsole()
        #expect(console.run("logs camera --follow --raw --timeout 0.2 --socket \(server.path)") == 3)
        #expect(console.output == "one\n")
        #expect(console.error == "holdfast: no runtime answers at \(server.path) (is holdfastd running?)\n")
    }

    @Test func `incidents ask for the worker and the limit`() throws {
        let result = try run("incidents camera --limit 2 --json --socket SOCKET") { _ in
            [VarlinkReply(IncidentsReply(incidents: []))]
        }
        #expect(result.calls == [.incidents(worker: "camera", limit: 2)])
        #expect(result.output == "{\"incidents\":[]}\n")
    }

    @Test func `top prints one frame where there is no terminal`() throws {
        let result = try run("top --socket SOCKET")
        #expect(result.status == 0)
        #expect(result.output.contains("MEMORY") || result.output.contains("WORKER"))
        #expect(!result.output.contains("\u{1b}"))
        let json = try JSONValue.parse(Array(try run("top --json --socket SOCKET").output.utf8))
        #expect(json["workers"]?.arrayValue?.count == Fixtures.status.workers.count)
        #expect(json["health"]?.isNull == true)
    }

    @Test func `top has the temperatures where a monitor tells them`() throws {
        let result = try run("top --socket SOCKET") { $0 == .health ? [VarlinkReply(Fixtures.hot)] : [] }
        #expect(result.output.contains("Package id 0 77.0 °C"))
    }

    @Test func `health and metrics print what the monitor says`() throws {
        let health = try run("health --socket SOCKET") { _ in [VarlinkReply(Fixtures.hot)] }
        #expect(health.calls == [.health])
        #expect(health.output.hasPrefix("level shed;"))
        let json = try run("health --json --socket SOCKET") { _ in [VarlinkReply(Fixtures.hot)] }
        #expect(json.output == Fixtures.hot.json.text + "\n")
        let text = "# HELP holdfast_level x\nholdfast_level 2\n"
        let metrics = try run("metrics --socket SOCKET") { _ in [VarlinkReply(MetricsReply(text: text))] }
        #expect(metrics.output == text)
    }

    @Test func `health says when there is nobody to tell it`() throws {
        let result = try run("health --socket SOCKET")
        #expect(result.status == 1)
        #expect(result.error == "holdfast: down\n")
    }

    @Test(
        arguments: [
            (
                "stop", RuntimeError.noSuchWorker(name: "cam\u{1b}"), 6, "no-such-worker",
                #"there is no worker named cam\u{1b} (holdfast status lists them)"#
            ),
            ("stop", .notPermitted(message: "only root may"), 4, "not-permitted", "only root may"),
            ("stop", .unavailable(message: "too many clients"), 1, "unavailable", "too many clients"),
            ("stop", .outputUnavailable(message: "later"), 1, "output-unavailable", "later"),
        ] as [(String, RuntimeError, Int32, String, String)])
    func `a refusal has its own exit status, code and line`(
        command: String, error: RuntimeError, status: Int32, code: String, message: String
    ) throws {
        let result = try run("worker \(command) x --socket SOCKET") { _ in [error.reply] }
        #expect(result.status == status)
        #expect(result.output == "")
        #expect(result.error == "holdfast: \(message)\n")
        let json = try run("worker \(command) x --json --socket SOCKET") { _ in [error.reply] }
        #expect(json.status == status)
        #expect(
            try JSONValue.parse(Array(json.error.utf8)) == [
                "error": ["code": .string(code), "message": .string(message)]
            ])
    }

    @Test func `an invalid configuration lists every problem`() throws {
        let error = RuntimeError.configurationInvalid(problems: ["a.toml:1:2: x: bad", "a.toml:3:4: y: bad"])
        let result = try run("reload --socket SOCKET") { _ in [error.reply] }
        #expect(result.status == 5)
        #expect(
            result.error == """
                holdfast: the configuration has 2 problems, and nothing was changed
                a.toml:1:2: x: bad
                a.toml:3:4: y: bad

                """)
    }

    @Test(arguments: ["status", "tree", "top", "events", "logs x", "incidents", "reload", "worker stop x"])
    func `a dead daemon gives one clear line`(command: String) {
        let console = RecordedConsole()
        #expect(console.run("\(command) --socket /nonexistent/control.sock") == 3)
        #expect(console.output == "")
        #expect(
            console.error
                == "holdfast: no runtime answers at /nonexistent/control.sock (is holdfastd running?)\n")
    }

    @Test func `version needs no daemon`() {
        let console = RecordedConsole()
        #expect(console.run("version --socket /nonexistent/control.sock") == 0)
        #expect(console.output.hasPrefix("holdfast \(HoldfastVersion.current)\n"))
        let json = RecordedConsole()
        #expect(json.run("version --json --socket /nonexistent/control.sock") == 0)
        #expect(json.output == "{\"version\":\"\(HoldfastVersion.current)\",\"runtime\":null}\n")
    }

    @Test(arguments: [
        "explode", "status --nope", "logs", "worker stop", "events --since -1", "events --since x", "logs x -n -1",
        "status --timeout 0", "status --timeout inf", "incidents --limit -1",
    ])
    func `wrong usage is 2, with a hint`(commandLine: String) throws {
        let console = RecordedConsole()
        #expect(console.run(commandLine) == 2)
        #expect(console.output == "")
        #expect(console.error.hasPrefix("holdfast: "))
        #expect(console.error.contains("Usage: "))
        let json = RecordedConsole()
        #expect(json.run(commandLine + " --json") == 2)
        #expect(try JSONValue.parse(Array(json.error.utf8))["error"]?["code"] == "usage")
    }

    @Test(arguments: ["--help", "status --help", "worker --help", "worker stop --help", "help logs", "", "worker"])
    func `help is no error`(commandLine: String) {
        let console = RecordedConsole()
        #expect(console.run(commandLine) == 0)
        #expect(console.output.contains("USAGE: holdfast"))
        #expect(console.error == "")
    }

    @Test func `every command has an abstract and examples`() {
        let console = RecordedConsole()
        _ = console.run("--help")
        let worker = ["start", "stop", "restart", "pause", "resume"].map { "worker \($0)" }
        let commands = ["status", "tree", "top", "events", "logs", "incidents", "worker", "reload", "check", "version"]
        for command in commands + worker {
            let help = RecordedConsole()
            #expect(help.run("\(command) --help") == 0)
            #expect(help.output.contains("OVERVIEW: "))
            #expect(help.output.contains("EXAMPLES"), "\(command)")
        }
        for command in commands { #expect(console.output.contains("\n  \(command) "), "\(command)") }
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `completion scripts are printed`(shell: String) {
        let console = RecordedConsole()
        #expect(console.run("--generate-completion-script \(shell)") == 0)
        #expect(console.output.contains("incidents"))
    }

    @Test func `colour is for terminals, and for those who want it`() throws {
        let terminal = Console.Surroundings(isOutputTerminal: true, columns: 100)
        #expect(try run("status --socket SOCKET", terminal).output.contains("\u{1b}["))
        #expect(try !run("status --socket SOCKET").output.contains("\u{1b}["))
        #expect(try !run("status --no-color --socket SOCKET", terminal).output.contains("\u{1b}["))
        for variable in ["NO_COLOR": "1", "TERM": "dumb"] {
            var refusing = terminal
            refusing.environment = [variable.key: variable.value]
            #expect(try !run("status --socket SOCKET", refusing).output.contains("\u{1b}["))
        }
    }
}
