import ControlProtocol
import DeviceConfiguration
import Foundation
import Testing

@testable import OperatorCLI

struct CheckCommandTests {
    /// Runs check on a file with this text, in a folder of its own.
    private func check(
        _ text: String, _ options: String = "", variables: [(String, String)] = []
    ) throws -> (status: Int32, output: String, error: String, path: String) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hf-check-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "holdfast.toml").path
        try Data(text.utf8).write(to: URL(filePath: path))
        let console = RecordedConsole(
            Console.Surroundings(
                configurationVariables: variables.map {
                    ConfigurationVariable(name: $0.0, value: Array($0.1.utf8))
                }))
        let status = console.run("check \(path) \(options)")
        return (status, console.output, console.error, path)
    }

    private static let valid = """
        [[supervisor]]
        name = "vision"

        [[supervisor]]
        name = "inner"
        parent = "vision"

        [[worker]]
        name = "camera"
        supervisor = "inner"
        command = ["/bin/sh"]

        [[worker]]
        name = "logger"
        command = ["/bin/sh"]
        """

    @Test func `a valid configuration is summed up`() throws {
        let result = try check(Self.valid)
        #expect(result.error == "")
        #expect(result.output == "2 supervisors, 2 workers: configuration is valid\n")
        #expect(result.status == 0)
        let json = try check(Self.valid, "--json")
        #expect(
            try JSONValue.parse(Array(json.output.utf8))
                == ["valid": true, "supervisors": 2, "workers": 2, "files": [.string(json.path)]])
    }

    @Test func `what this machine lacks is no problem of a configuration for another one`() throws {
        let text = "[[worker]]\nname = \"a\"\nuser = \"nobody-here\"\ncommand = [\"/no/such/program\"]\n"
        #expect(try check(text).status == 5)
        #expect(try check(text, "--elsewhere").output == "0 supervisors, 1 worker: configuration is valid\n")
        #expect(try check(text + "nonsense = 1\n", "--elsewhere").status == 5)
    }

    @Test func `every problem is a line that starts with its place`() throws {
        let text = Self.valid + "\nwatchdgo = \"5s\"\nrestart = \"sometimes\"\n"
        let result = try check(text)
        #expect(result.status == 5)
        #expect(result.output == "")
        let lines = result.error.split(separator: "\n")
        #expect(lines.first == "holdfast: the configuration has 2 problems")
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix(result.path + ":") })
        #expect(lines.count == 3)
        let json = try check(text, "--json")
        #expect(json.status == 5)
        let error = try JSONValue.parse(Array(json.error.utf8))["error"]
        #expect(error?["code"] == "configuration-invalid")
        #expect(error?["problems"]?.arrayValue?.count == 2)
    }

    @Test func `the effective values come with their places, aligned, before the summary`() throws {
        let variable = "HOLDFAST_CONFIG__WORKER__CAMERA__NICE"
        let result = try check("[runtime]\nname = \"line\"\n" + Self.valid, "--effective", variables: [(variable, "3")])
        #expect(result.error == "")
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.replacing(result.path, with: "FILE")
        }
        #expect(
            lines.starts(with: [
                "[runtime]",
                #"  name                   "line"                             FILE:2"#,
                #"  state_dir              "/var/lib/holdfast"                default"#,
            ]))
        #expect(lines.contains("[[worker]] camera"))
        #expect(lines.contains("  nice                   3                                  $\(variable)"))
        #expect(lines.contains("  group                  (the user's own)                   default"))
        #expect(lines.suffix(3) == ["", "2 supervisors, 2 workers: configuration is valid", ""])
    }

    @Test func `the effective values as JSON say what kind of source they have`() throws {
        let variable = "HOLDFAST_CONFIG__WORKER__CAMERA__NICE"
        let result = try check(Self.valid, "--effective --json", variables: [(variable, "3")])
        let settings = try JSONValue.parse(Array(result.output.utf8), limits: .reply)["settings"]?.arrayValue ?? []
        func setting(_ path: String) -> JSONValue? { settings.first { $0["path"]?.stringValue == path } }
        #expect(
            setting("worker.camera.nice") == [
                "path": "worker.camera.nice", "table": "worker", "name": "camera", "key": "nice", "value": 3,
                "source": "environment", "file": nil, "line": nil, "variable": .string(variable),
            ])
        #expect(
            setting("worker.camera.command") == [
                "path": "worker.camera.command", "table": "worker", "name": "camera", "key": "command",
                "value": ["/bin/sh"], "source": "file", "file": .string(result.path), "line": 11, "variable": nil,
            ])
        #expect(setting("worker.camera.limits.open_files")?["value"] == .null)
        #expect(setting("worker.camera.limits.open_files")?["source"] == "default")
    }

    @Test func `what only this machine lacks does not keep the effective values back`() throws {
        let result = try check("[[worker]]\nname = \"w\"\ncommand = [\"/nonexistent/program\"]\n", "--effective")
        #expect(result.status == 5)
        #expect(result.output.contains("[[worker]] w"))
        #expect(result.error.contains("/nonexistent/program"))
    }

    @Test func `a variable that overrides nothing is a problem`() throws {
        let result = try check(Self.valid, variables: [("HOLDFAST_CONFIG__WORKER__CAMRA__NICE", "1")])
        #expect(result.status == 5)
        #expect(result.error.contains("environment: HOLDFAST_CONFIG__WORKER__CAMRA__NICE: there is no worker CAMRA"))
    }

    @Test func `a program that is missing is a problem`() throws {
        let result = try check("[[worker]]\nname = \"w\"\ncommand = [\"/nonexistent/program\"]\n")
        #expect(result.status == 5)
        #expect(result.error.contains("/nonexistent/program"))
    }

    @Test func `a file that is missing is a problem`() {
        let console = RecordedConsole()
        #expect(console.run("check /nonexistent/holdfast.toml") == 5)
        #expect(console.error.contains("/nonexistent/holdfast.toml"))
    }
}
