import ControlProtocol
import Foundation
import Testing

@testable import OperatorCLI

struct CheckCommandTests {
    /// Runs check on a file with this text, in a folder of its own.
    private func check(
        _ text: String, _ options: String = ""
    ) throws -> (status: Int32, output: String, error: String, path: String) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hf-check-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "holdfast.toml").path
        try Data(text.utf8).write(to: URL(filePath: path))
        let console = RecordedConsole()
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
