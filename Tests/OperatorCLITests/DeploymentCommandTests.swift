import ControlProtocol
import Testing

@testable import OperatorCLI

@Suite(.timeLimit(.minutes(1))) struct DeploymentCommandTests {
    private static let old = "1.0.0@aaaaaaaaaaaaaaaa"
    private static let new = "2.0.0@bbbbbbbbbbbbbbbb"
    private static let patch = "2.0.01@cccccccccccccccc"

    private static let vision = BundleReport(
        name: "vision", current: new, good: [new, old], barred: [patch],
        deployment: DeploymentReport(
            id: "d-7", bundle: "vision", version: patch, state: .rolledBack, code: "crash-loop",
            message: "camera\u{1b}: was ended by SIGSEGV"))
    private static let audio = BundleReport(
        name: "audio", current: nil,
        deployment: DeploymentReport(
            id: "d-8", bundle: "audio", version: old, state: .downloading, percent: 40))

    /// Answers Deployments with both bundles, and Deploy with these.
    private func run(
        _ arguments: [String], _ reports: [DeploymentReport] = []
    ) throws -> (status: Int32, output: String, error: String, calls: [VarlinkCall]) {
        let server = try ScriptedServer { call in
            switch call.method {
            case "io.holdfast.Runtime.Deployments":
                .reply([VarlinkReply(DeploymentsReply(bundles: [Self.audio, Self.vision]))])
            case "io.holdfast.Runtime.Deploy":
                .reply(reports.map { VarlinkReply($0, continues: !$0.state.isEnd) })
            default: .reply([VarlinkReply()])
            }
        }
        defer { server.stop() }
        let console = RecordedConsole()
        let status = console.run(arguments + ["--socket", server.path])
        return (status, console.output, console.error, server.calls)
    }

    private func report(
        _ state: DeploymentReport.State, _ percent: Int? = nil, code: String? = nil, _ message: String? = nil
    ) -> DeploymentReport {
        DeploymentReport(
            id: "d-1", bundle: "vision", version: Self.new, state: state, percent: percent, code: code,
            message: message)
    }

    @Test func `each state is a line, each tenth of a long one too, and a committed version is exit status 0`() throws {
        let (status, output, _, calls) = try run(
            [
                "deploy", "vision", Self.new, "--file", "vision-2.tar.zst", "--id", "d-1", "--force",
                "--download-within", "90",
            ],
            [
                report(.downloading), report(.downloading, 3), report(.downloading, 5), report(.downloading, 12),
                report(.unpacking), report(.probation, nil, "ready\u{1b}, 5 min to go"), report(.committed),
            ])
        #expect(status == 0)
        #expect(
            output == """
                downloading
                downloading  3 %
                downloading  12 %
                unpacking
                probation    ready\\u{1b}, 5 min to go
                committed  vision \(Self.new)

                """)
        #expect(
            calls.map(\.method) == ["io.holdfast.Runtime.Deploy"],
            "a whole version is not looked up")
        #expect(
            calls.first?.parameters == [
                "id": "d-1", "bundle": "vision", "intent": "deploy", "version": .string(Self.new),
                "file": "vision-2.tar.zst", "force": true, "download_within_s": 90.0,
            ])
        #expect(calls.first?.more == true)
    }

    @Test(arguments: [DeploymentReport.State.failed, .rolledBack])
    func `any other end is exit status 1 with its reason`(state: DeploymentReport.State) throws {
        let (status, output, error, _) = try run(
            ["deploy", "vision", Self.new], [report(.probation), report(state, code: "crash-loop", "camera died")])
        #expect(status == 1)
        #expect(output == "probation\n")
        #expect(error.contains("holdfast: \(state.rawValue): crash-loop: camera died"))
    }

    @Test func `with --json each report is a line`() throws {
        let reports = [report(.probation), report(.failed, code: "not-ready", "camera")]
        let (status, output, error, _) = try run(["deploy", "vision", Self.new, "--json"], reports)
        #expect(status == 1)
        #expect(output == reports.map { $0.json.text + "\n" }.joined())
        #expect(error.contains("\"code\":\"deployment-failed\""))
    }

    @Test(arguments: [
        ("1", old), ("2.0.0", new), ("2.0.01", patch), ("2.0.0@bb", new), ("9.9", "9.9"),
        ("2.0.0@bbbbbbbbbbbbbbbc", "2.0.0@bbbbbbbbbbbbbbbc"),
    ])
    func `a version may be abbreviated where it is unambiguous`(given: String, sent: String) throws {
        let (_, _, _, calls) = try run(["rollback", "vision", given], [report(.committed)])
        #expect(calls.last?.parameters["version"] == .string(sent))
        #expect(calls.last?.parameters["intent"] == "rollback")
    }

    @Test func `an ambiguous version is refused before anything is asked for`() throws {
        let (status, _, error, calls) = try run(["rollback", "vision", "2"])
        #expect(status == 2)
        #expect(error.contains(Self.new) && error.contains(Self.patch))
        #expect(calls.map(\.method) == ["io.holdfast.Runtime.Deployments"])
    }

    @Test func `a rollback without a version leaves the choice to the device`() throws {
        let (status, _, _, calls) = try run(["rollback", "vision"], [report(.committed)])
        #expect(status == 0)
        #expect(calls.count == 1)
        #expect(calls.first?.parameters["version"] == nil)
    }

    @Test func `bundles are listed with what runs, what is good, and why the last deployment came out as it did`()
        throws
    {
        let (status, output, _, _) = try run(["deployments"])
        #expect(status == 0)
        let lines = output.split(separator: "\n")
        #expect(lines.count == 3)
        for part in ["audio", "none", "downloading 40 %", "d-8"] { #expect(lines[1].contains(part)) }
        for part in ["vision", "\(Self.new) \(Self.old)", Self.patch, "rolled_back", "d-7", "crash-loop: camera"] {
            #expect(lines[2].contains(part), "\(part)")
        }
        #expect(!output.contains("\u{1b}"))
        let json = try run(["deployments", "list", "--json"])
        #expect(json.output == DeploymentsReply(bundles: [Self.audio, Self.vision]).json.text + "\n")
        #expect(DeploymentsView(bundles: []).lines(.plain, width: nil) == ["no bundles on this device"])
    }

    @Test func `a deployment is called off by its id`() throws {
        let (status, _, _, calls) = try run(["deployments", "cancel", "d-1"])
        #expect(status == 0)
        #expect(calls.first?.method == "io.holdfast.Runtime.CancelDeployment")
        #expect(calls.first?.parameters == ["id": "d-1"])
    }

    @Test func `what is refused or not there is said`() throws {
        for (error, part) in [
            (RuntimeError.deploymentRefused(message: "the disk is full"), "not deployed: the disk is full"),
            (.noSuchDeployment(id: "d-1"), "there is no deployment d-1"),
        ] {
            let server = try ScriptedServer { _ in .reply([error.reply]) }
            defer { server.stop() }
            let console = RecordedConsole()
            #expect(console.run(["deploy", "vision", Self.new, "--socket", server.path]) == 1)
            #expect(console.error.contains(part))
        }
        #expect(try run(["deploy", "vision", Self.new, "--download-within", "0"]).status == 2)
    }
}
