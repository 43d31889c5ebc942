import Probing
import Supervision
import Testing

@testable import DeviceConfiguration

/// `[[worker.probe]]`.
@Suite struct ProbeConfigurationTests {
    private static let head = """
        [[worker]]
        name = "web"
        command = ["/bin/true"]

        """

    private func probes(_ text: String) throws -> [WorkerProbe] {
        let report = Configuration.read(Self.head + text)
        #expect(report.problems.map(\.description) == [])
        return try #require(report.configuration?.probes["web"])
    }

    private func problems(_ text: String) -> [String] {
        Configuration.read(Self.head + text).problems.map(\.description)
    }

    @Test func `each type has its keys, and defaults for the rest`() throws {
        let standard = ProbeSchedule(
            interval: .seconds(10), timeout: .seconds(2), failures: 3, startGrace: .seconds(10))
        let found = try probes(
            """
            [[worker.probe]]
            type = "exec"
            command = ["/bin/test", "-e", "/run/ok"]
            [[worker.probe]]
            type = "tcp"
            port = 5432
            address = "::1"
            [[worker.probe]]
            type = "http"
            name = "page"
            port = 8080
            path = "/health?full=1"
            status = "204"
            body = "ok"
            interval = "1s"
            timeout = "250ms"
            failures = 1
            start_grace = "0ms"
            [[worker.probe]]
            type = "http"
            port = 1
            """)
        #expect(
            found == [
                WorkerProbe(name: "exec", kind: .exec(command: ["/bin/test", "-e", "/run/ok"]), schedule: standard),
                WorkerProbe(
                    name: "tcp", kind: .tcp, address: WorkerProbe.Address(host: "::1", port: 5432), schedule: standard),
                WorkerProbe(
                    name: "page", kind: .http(path: "/health?full=1", statuses: 204...204, bodyContains: "ok"),
                    address: WorkerProbe.Address(host: "127.0.0.1", port: 8080),
                    schedule: ProbeSchedule(
                        interval: .seconds(1), timeout: .milliseconds(250), failures: 1, startGrace: .zero)),
                WorkerProbe(
                    name: "http", kind: .http(path: "/", statuses: 200...299, bodyContains: nil),
                    address: WorkerProbe.Address(host: "127.0.0.1", port: 1), schedule: standard),
            ])
    }

    @Test func `a worker without probes has none`() throws {
        #expect(try #require(Configuration.read(Self.head).configuration).probes.isEmpty)
    }

    @Test func `a change of probes needs no new process`() throws {
        func launch(_ text: String) throws -> LaunchFingerprint {
            let configuration = try #require(Configuration.read(Self.head + text).configuration)
            return try #require(configuration.launches["web"]).fingerprint
        }
        #expect(try launch("") == launch("[[worker.probe]]\ntype = \"tcp\"\nport = 1"))
    }

    @Test(arguments: [
        ("type = \"exec\"", ["worker.web.probe[1].command: is missing for a probe of type \"exec\""]),
        ("type = \"tcp\"", ["worker.web.probe[1].port: is missing for a probe of type \"tcp\""]),
        (
            "type = \"tcp\"\nport = 1\npath = \"/\"",
            ["worker.web.probe[1].path: has no meaning for a probe of type \"tcp\"; remove it"]
        ),
        (
            "name = \"x\"\ntype = \"exec\"\ncommand = [\"/bin/true\"]\nport = 1",
            ["worker.web.probe.x.port: has no meaning for a probe of type \"exec\"; remove it"]
        ),
        ("type = \"ping\"", ["worker.web.probe[1].type: \"ping\" is not known"]),
        ("type = \"tcp\"\nport = 0", ["worker.web.probe[1].port: 0 is out of range"]),
        (
            "type = \"tcp\"\nport = 1\naddress = \"10.0.0.1\"",
            ["worker.web.probe[1].address: \"10.0.0.1\" is no loopback address"]
        ),
        (
            "type = \"tcp\"\nport = 1\naddress = \"127.0.0.01\"",
            ["worker.web.probe[1].address: \"127.0.0.01\" is no loopback address"]
        ),
        (
            "type = \"tcp\"\nport = 1\naddress = \"localhost\"",
            ["worker.web.probe[1].address: \"localhost\" is no loopback address"]
        ),
        (
            "type = \"http\"\nport = 1\nstatus = \"299-200\"",
            ["worker.web.probe[1].status: \"299-200\" is no status of HTTP"]
        ),
        ("type = \"http\"\nport = 1\nstatus = \"20\"", ["worker.web.probe[1].status: \"20\" is no status of HTTP"]),
        (
            "type = \"http\"\nport = 1\npath = \"/a b\"",
            ["worker.web.probe[1].path: \"/a b\" has characters that have to be percent-encoded"]
        ),
        ("type = \"tcp\"\nport = 1\ntimeout = \"0ms\"", ["worker.web.probe[1].timeout: \"0ms\" is too short"]),
        (
            "type = \"tcp\"\nport = 1\n[[worker.probe]]\ntype = \"tcp\"\nport = 2",
            ["worker.web.probe[2].name: \"tcp\" is already the name of the probe at t.toml:4:1"]
        ),
    ])
    func `what is wrong with a probe is told`(text: String, expected: [String]) {
        let found = problems("[[worker.probe]]\n" + text)
        #expect(found.count == expected.count, "\(found)")
        for (problem, words) in zip(found, expected) { #expect(problem.contains(words), "\(problem)") }
    }

    @Test func `a variable overrides a setting of a probe by its name`() throws {
        let text =
            Self.head
            + "[[worker.probe]]\ntype = \"tcp\"\nport = 1\n[[worker.probe]]\ntype = \"tcp\"\nname = \"b\"\nport = 2"
        let prefix = "HOLDFAST_CONFIG__WORKER__WEB__PROBE__"
        let report = Configuration.read(text, variables: [(prefix + "TCP__PORT", "8"), (prefix + "B__PORT", "9")])
        #expect(report.problems.map(\.description) == [])
        #expect(report.configuration?.probes["web"]?.map { $0.address?.port } == [8, 9])
        let unknown = Configuration.read(text, variables: [(prefix + "C__PORT", "8")])
        #expect(unknown.problems.map(\.description).first?.contains("there is no probe C") == true)
    }

    @Test func `the values that hold are shown with their worker`() throws {
        let report = Configuration.read(
            [
                ConfigurationSource(
                    file: "t.toml",
                    bytes: Array((Self.head + "[[worker.probe]]\ntype = \"tcp\"\nport = 1\nname = \"p\"").utf8))
            ], hostName: "h", explains: true)
        let section = try #require(report.effective.first { $0.table == "worker.probe" })
        #expect(section.header == "[[worker.probe]]")
        #expect(section.name == "web")
        #expect(section.path == "worker.web.probe.p")
    }
}
