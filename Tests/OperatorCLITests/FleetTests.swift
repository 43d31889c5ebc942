import ControlProtocol
import FleetAPI
import LinuxSystem
import TestSupport
import Testing

@testable import OperatorCLI

struct FleetTests {
    // MARK: Login

    private static let login = OperatorLogin(
        url: "https://central.example:7443", pins: [[UInt8](repeating: 7, count: 32)], token: "hfo_abc")

    @Test func `a login is kept for its owner alone, read again, and forgotten`() throws {
        let folder = try TemporaryDirectory()
        let logins = FleetLogins(environment: ["HOME": folder.path])
        #expect(throws: CommandError.self) { try logins.current() }
        let path = try logins.keep(Self.login)
        #expect(try SystemCall.status(of: path).mode & 0o777 == 0o600)
        #expect(try logins.current() == Self.login)
        #expect(try logins.forget())
        #expect(try !logins.forget())
    }

    @Test func `the variable goes before what is kept, and says when it is damaged`() throws {
        let folder = try TemporaryDirectory()
        var environment = ["HOME": folder.path]
        _ = try FleetLogins(environment: environment).keep(Self.login)
        var other = Self.login
        other.token = "hfo_other"
        environment[FleetLogins.variable] = other.text
        #expect(try FleetLogins(environment: environment).current() == other)
        environment[FleetLogins.variable] = String(other.text.dropLast(2))
        let error = #expect(throws: CommandError.self) { try FleetLogins(environment: environment).current() }
        #expect(error?.message.contains(FleetLogins.variable) ?? false)
    }

    @Test func `without a login the command says how to get one`() throws {
        let folder = try TemporaryDirectory()
        let console = RecordedConsole(Console.Surroundings(environment: ["HOME": folder.path]))
        #expect(console.run("fleet devices") == 4)
        #expect(console.error.contains("holdfast fleet login"))
    }

    @Test func `an enrolment token is no login, and the message says what is`() {
        let token = EnrolmentToken(url: Self.login.url, pins: Self.login.pins, secret: [UInt8](repeating: 1, count: 32))
        let console = RecordedConsole(Console.Surroundings(environment: ["HOME": "/nowhere"]))
        #expect(console.run("fleet login \(token.text)") == 2)
        #expect(console.error.contains("begins with hfl1."))
    }

    // MARK: Streams

    @Test func `a stream of events comes apart wherever it is cut`() {
        let text = ": listening\n\nevent: command\ndata: {\"a\":1}\n\n:\n\nevent: event\ndata: {\"b\":2}\n\n"
        for cut in 1...text.utf8.count {
            var splitter = EventStreamSplitter()
            var events: [(topic: String, data: [UInt8])] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                events += splitter.take(rest.prefix(cut))
                rest = rest.dropFirst(cut)
            }
            #expect(events.map(\.topic) == ["command", "event"])
            #expect(events.map { String(decoding: $0.data, as: UTF8.self) } == [#"{"a":1}"#, #"{"b":2}"#])
        }
    }

    @Test func `what is not a plain letter is escaped in a query`() {
        #expect(FleetClient.escaped("site=a b,é/&") == "site%3Da%20b%2C%C3%A9%2F%26")
        #expect(FleetClient.escaped("press-4_x.y~Z9") == "press-4_x.y~Z9")
    }

    // MARK: What is shown

    @Test(
        arguments: [
            ([1, 2, 3, 4, 5, 6, 7, 8], "▁▂▃▄▅▆▇█"), ([5, 5, 5], "▄▄▄"), ([], ""), ([nil, 1, nil, 2], " ▁ █"),
            ([nil, nil], "  "), ([.nan, 1, 9], " ▁█"),
        ] as [([Double?], String)])
    func `a curve goes from the lowest to the highest value`(values: [Double?], curve: String) {
        #expect(Sparkline.text(values) == curve)
    }

    @Test func `a series has its latest value, its extremes, a mean by count, and a curve over the time`() throws {
        let view = FleetTelemetryView(
            latest: [["worker": "cpu", "name": "load", "value": 2.5, "time_ms": 9_000]],
            course: [
                [
                    "worker": "cpu", "name": "load",
                    "points": [[2_000, 1.0, 3.0, 2.0, 3], [8_000, 4.0, 6.0, 5.0, 1], "nonsense"],
                ]
            ], from: 1_000, to: 9_001, step: 1_000, width: 8)
        let series = try #require(view.series.first)
        #expect(series.least == 1 && series.most == 6 && series.mean == 2.75)
        #expect(series.course == [nil, 2, nil, nil, nil, nil, nil, 5])
        let lines = view.table(now: 11).lines(.plain)
        #expect(lines.last == "cpu     load       2.5   2s    1  2.75     6   ▁     █")
    }

    @Test func `a device that was cloned, or is away, is shown as such`() {
        func state(_ json: JSONValue) -> String { FleetDevicesView.state(FleetDevice(json: json)).0 }
        #expect(state(["state": "enrolled", "online": true]) == "online")
        #expect(state(["state": "enrolled", "online": false]) == "offline")
        #expect(state(["state": "enrolled", "online": true, "forked": true]) == "forked")
        #expect(state(["state": "pending"]) == "pending")
        #expect(state(["state": "revoked", "online": false]) == "revoked")
    }

    @Test func `texts of devices cannot steer the terminal`() {
        let device = FleetDevice(json: ["name": "a\u{1b}[2J", "state": "enrolled", "labels": ["x": "\u{1b}]0;t\u{7}"]])
        let view = FleetDevicesView(devices: [device], now: 0, isMore: false)
        let lines = view.lines(.plain, width: nil) + FleetDeviceView(device: device, now: 0).lines(.plain)
        #expect(!lines.joined().contains("\u{1b}"))
    }

    @Test func `a command has ended when it has on every device, and each failure counts`() {
        func command(_ states: String...) -> JSONValue {
            ["devices": .array(states.map { ["device": "d", "state": .string($0)] })]
        }
        #expect(!FleetCommandView.hasEnded(command("succeeded", "running")))
        #expect(FleetCommandView.hasEnded(command("succeeded", "expired")))
        #expect(FleetCommandView(command: command("succeeded", "expired", "failed", "queued")).failures == 2)
    }

    @Test func `a log in a result is printed as lines`() {
        let view = FleetCommandView(command: [
            "kind": "worker.logs", "target": "d", "id": "i",
            "devices": [["device": "d", "state": "succeeded", "result": ["lines": [["line": "one"], "two"]]]],
        ])
        #expect(view.lines(.plain) == ["worker.logs  for d  i", "  d  succeeded", "    one", "    two"])
    }

    @Test func `events of every kind make one line each`() {
        let bodies: [JSONValue] = [
            ["e": "runtime", "event": ["kind": "worker-failed", "message": "camera failed"]],
            [
                "e": "incident",
                "incident": ["exit": ["message": "was ended by SIGKILL"], "action_message": "restarted"],
            ],
            ["exit": ["message": "was ended by SIGSEGV"], "action_message": "parked"],
            ["e": "worker", "name": "door-open", "data": ["door": 3]],
            ["e": "command", "id": "c", "state": "failed", "message": "no such worker"],
            ["e": "loss", "reason": "rate", "count": 12], ["e": "uplink", "kind": "k", "message": "away"],
        ]
        let words = [
            "camera failed", "was ended by SIGKILL; restarted", "was ended by SIGSEGV; parked", #"{"door":3}"#,
            "c failed: no such worker",
            "12 not taken in: rate", "away",
        ]
        for (body, word) in zip(bodies, words) {
            let line = FleetEventLine(event: ["time_ms": 0, "device": "d"], body: body, palette: .plain).text
            #expect(line.hasSuffix(word) && !line.contains("\n"))
        }
    }

    @Test(arguments: [("30s", 30.0), ("10m", 600), ("12h", 43_200), ("7d", 604_800), ("1.5h", 5_400)])
    func `times are numbers with a unit`(text: String, seconds: Double) {
        #expect(TimeSpan(argument: text)?.seconds == seconds)
    }

    @Test(arguments: ["", "10", "m", "-1s", "0s", "10 m", "1w", "nans"])
    func `anything else is no time`(text: String) {
        #expect(TimeSpan(argument: text) == nil)
    }

    // MARK: Bundles and deployments

    private static func deployment(_ state: String, _ devices: [(String, String, String)]) -> JSONValue {
        [
            "id": "d-1", "kind": "deploy", "bundle": "hello", "version": "1.1.0@df34ea28946b4928",
            "state": .string(state),
            "target": "all", "max_parallel": 5, "max_failures": 1, "counts": ["committed": 1, "waiting": 2],
            "message": state == "halted" ? "2 devices have failed" : .null,
            "devices": .array(
                devices.map { name, state, message in
                    [
                        "device": .string(name), "name": .string(name), "state": .string(state),
                        "message": .string(message), "updated_ms": 90_000,
                    ]
                }),
        ]
    }

    @Test func `a deployment shows each device, since when, and why`() {
        let view = FleetDeploymentView(
            deployment: Self.deployment("halted", [("press-1", "committed", ""), ("press-10", "failed", "not ready")]),
            now: 100)
        #expect(
            view.lines(.plain, width: nil) == [
                "hello 1.1.0@df34ea28946b4928  halted  for all  d-1",
                "  1 committed, 2 waiting; 5 at once, halts with more than 1 failed",
                "  2 devices have failed: 'holdfast fleet deployment resume' goes on, 'cancel' ends it", "",
                "DEVICE    STATE      SINCE  WHY", "press-1   committed    10s",
                "press-10  failed       10s  not ready",
            ])
    }

    @Test(
        arguments: [
            ("running", ["committed", "waiting"], false), ("running", ["committed", "committed"], false),
            ("finished", ["committed"], true), ("halted", ["failed", "running"], false),
            ("halted", ["failed", "waiting"], true), ("paused", ["sent"], false), ("paused", ["waiting"], true),
            ("cancelled", ["cancelled", "running"], false), ("cancelled", ["cancelled"], true),
        ])
    func `waiting ends when nothing more happens by itself`(state: String, devices: [String], ends: Bool) {
        let deployment = Self.deployment(state, devices.map { ("d", $0, "") })
        #expect(FleetDeploymentView(deployment: deployment, now: 0).standsStill == ends)
    }

    @Test func `of a deployment that is followed, each change of a device is told once`() {
        var progress = DeploymentProgress()
        func look(_ devices: [(String, String, String)]) -> [String] {
            progress.lines(Self.deployment("running", devices), .plain)
        }
        #expect(look([("a", "sent", "wait"), ("b", "waiting", "")]) == ["  a  sent  wait"])
        #expect(look([("a", "sent", "wait"), ("b", "waiting", "")]).isEmpty)
        #expect(
            look([("a", "running", "probation"), ("b", "sent", "")]) == ["  a  running  probation", "  b  sent"])
        #expect(look([("a", "running", "prob\u{1b}[2J"), ("b", "sent", "")]).joined().contains("\u{1b}") == false)
    }

    @Test func `a bundle shows whether devices will find it`() {
        let bundle: JSONValue = [
            "name": "hello", "version": "1.0.0@aa", "file": "hello-1.0.0.tar.zst", "size": 2048, "signed": false,
            "detail": "no targets.json has been uploaded", "description": ["kind": "application", "release": 3],
            "uploaded_ms": 0, "uploaded_by": "alice\u{1b}",
        ]
        let lines = FleetBundleView(bundle: bundle).lines(.plain)
        #expect(lines.first == "hello 1.0.0@aa")
        #expect(lines.contains { $0.contains("signed") && $0.contains("no targets.json has been uploaded") })
        #expect(!lines.joined().contains("\u{1b}"))
        #expect(FleetBundleView.table([bundle]).lines(.plain).last?.contains("  3  2.0K  no  ") == true)
    }

    @Test(
        arguments: [
            ("create hello 1.0.0", "--device, --selector or --all"), ("create hello --all", "Say which version"),
            ("create hello 1.0.0 --all --selector a=b", "in one way"),
            ("create hello 1.0.0 --all --max-parallel 0", "--max-parallel"),
            ("create hello 1.0.0 --all --max-failures -1", "--max-failures"),
        ])
    func `a deployment that makes no sense is refused before anybody is asked`(arguments: String, words: String) {
        let console = RecordedConsole(Console.Surroundings(environment: ["HOME": "/nowhere"]))
        #expect(console.run("fleet deployment \(arguments)") == 2)
        #expect(console.error.contains(words))
    }

    @Test func `an upload of nothing is refused, and so is a file that is no bundle`() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("x.tar.zst", "no archive")
        var login = Self.login
        login.url = "https://localhost:1"
        let environment = ["HOME": folder.path, FleetLogins.variable: login.text]
        let console = RecordedConsole(Console.Surroundings(environment: environment))
        #expect(console.run("fleet bundle upload") == 2)
        #expect(console.run("fleet bundle upload \(file)") == 1)
        #expect(console.error.contains("neither a .tar.zst nor a .tar.gz"))
        #expect(console.run("fleet bundle upload --targets \(folder.path)/none.json") == 1)
        #expect(console.error.contains("none.json cannot be read"))
    }
}
