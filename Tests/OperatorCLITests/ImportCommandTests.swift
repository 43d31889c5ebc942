import ControlProtocol
import DeviceConfiguration
import Foundation
import Testing

@testable import OperatorCLI

final class ImportCommandTests {
    private let folder: URL
    private var source: String { folder.appending(path: "device.env").path }
    private var target: String { folder.appending(path: "out.toml").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "hf-import-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private static let text = """
        IMUNOEDGE_FLUSH_INTERVAL=30.0
        IMUNOEDGE_WROKERS=x
        IMUNOEDGE_WORKERS=a:/bin/sh -c true:true,b:/bin/true:false
        """

    private func write(_ text: String, mode: Int = 0o644) throws {
        try text.write(toFile: source, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: source)
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func `the configuration goes to standard output, and what is to be said of it to standard error`() throws {
        try write(Self.text)
        let console = RecordedConsole()
        #expect(console.run("config import \(source) --user root") == 0)
        #expect(ImportTests.problems(of: console.output) == [])
        #expect(console.output.contains("working_directory = \"\(folder.path)\"\nuser = \"root\"\n"))
        let lines = console.error.split(separator: "\n").map { $0.replacing(source, with: "FILE") }
        #expect(
            lines.first
                == "FILE:2: warning: IMUNOEDGE_WROKERS is no setting of ImunoEdge (did you mean IMUNOEDGE_WORKERS?)")
        #expect(
            lines.last
                == "2 workers and 1 setting imported, 1 setting without a counterpart is a comment, 1 name that ImunoEdge does not know"
        )
    }

    @Test func `a file is written, accepted by check, and never replaced by accident`() throws {
        try write(Self.text)
        let console = RecordedConsole()
        #expect(console.run("config import \(source) --user root --output \(target)") == 0)
        #expect(console.error == "")
        #expect(console.output.hasSuffix("written to \(target); holdfast check says whether it fits this machine\n"))
        let written = try String(contentsOfFile: target, encoding: .utf8)
        #expect(ImportTests.problems(of: written) == [])

        try write("IMUNOEDGE_WORKERS=c:/bin/true:true\n")
        let refused = RecordedConsole()
        #expect(refused.run("config import \(source) --output \(target)") == 1)
        #expect(refused.error == "holdfast: \(target) is there already, and only --force replaces it\n")
        #expect(try String(contentsOfFile: target, encoding: .utf8) == written)
        #expect(RecordedConsole().run("config import \(source) --output \(target) --force") == 0)
        #expect(try String(contentsOfFile: target, encoding: .utf8).contains("name = \"c\""))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["device.env", "out.toml"])
    }

    @Test func `who may not read the source may not read the result`() throws {
        try write(Self.text, mode: 0o600)
        #expect(RecordedConsole().run("config import \(source) --output \(target)") == 0)
        #expect(try mode(target) == 0o600)
        try write(Self.text, mode: 0o640)
        #expect(RecordedConsole().run("config import \(source) --output \(target) --force") == 0)
        #expect(try mode(target) == 0o640)
        try write(Self.text, mode: 0o777)
        #expect(RecordedConsole().run("config import \(source) --output \(target) --force") == 0)
        #expect(try mode(target) == 0o644)
    }

    @Test func `standard input is read, and workers start in the current folder unless told otherwise`() {
        let console = RecordedConsole(input: Array(Self.text.utf8))
        #expect(console.run("config import - --working-directory /opt/x") == 0)
        #expect(console.output.contains("working_directory = \"/opt/x\""))
        #expect(console.output.hasPrefix("# Made from standard input"))
        let other = RecordedConsole(input: Array(Self.text.utf8))
        #expect(other.run("config import -") == 0)
        #expect(other.output.contains("working_directory = \"\(FileManager.default.currentDirectoryPath)\""))
    }

    @Test func `problems are lines with their places, and nothing is made`() throws {
        try write("A\nIMUNOEDGE_MAX_RESTARTS=x\n")
        let console = RecordedConsole()
        #expect(console.run("config import \(source) --output \(target)") == 5)
        #expect(console.output == "")
        let lines = console.error.split(separator: "\n").map { $0.replacing(source, with: "FILE") }
        #expect(
            lines == [
                "holdfast: FILE has 2 problems, and nothing was made of it",
                #"FILE:1: "A" is no assignment; allowed: NAME=value"#,
                #"FILE:2: IMUNOEDGE_MAX_RESTARTS "x" is no such number; allowed: a whole number from 0 to 1000000"#,
            ])
        #expect(!FileManager.default.fileExists(atPath: target))
        let json = RecordedConsole()
        #expect(json.run("config import \(source) --json") == 5)
        let error = try JSONValue.parse(Array(json.error.utf8))["error"]
        #expect(error?["code"] == "configuration-invalid")
        #expect(error?["problems"]?.arrayValue?.count == 2)
    }

    @Test func `JSON holds the text and all that came of the settings`() throws {
        try write(Self.text)
        let console = RecordedConsole()
        #expect(console.run("config import \(source) --json") == 0)
        let json = try JSONValue.parse(Array(console.output.utf8))
        #expect(json["workers"] == ["a", "b"])
        #expect(json["imported"] == ["IMUNOEDGE_WORKERS"])
        #expect(json["without_counterpart"] == [["name": "IMUNOEDGE_FLUSH_INTERVAL", "value": "30.0"]])
        #expect(json["unknown"] == [["name": "IMUNOEDGE_WROKERS", "value": "x"]])
        #expect(json["not_given_to_workers"] == [])
        #expect(json["output"] == .null)
        #expect(ImportTests.problems(of: json["toml"]?.stringValue ?? "-") == [])
    }

    @Test(arguments: [
        ("config import /nonexistent.env", 1, "/nonexistent.env does not exist"),
        ("config import /tmp", 1, "cannot be read"),
        ("config import x --force", 2, "--force needs --output"), ("config import", 2, "Missing expected argument"),
        ("config import x --working-directory y", 2, "--working-directory needs an absolute path"),
    ])
    func `what cannot be done is one clear line`(commandLine: String, status: Int32, message: String) {
        let console = RecordedConsole()
        #expect(console.run(commandLine) == status)
        #expect(console.error.contains(message))
        #expect(console.output == "")
    }

    @Test func `a result that would be no configuration is refused`() {
        let variables = (0..<1100).map { "V\($0)=1\n" }.joined()
        let console = RecordedConsole(input: Array((variables + "IMUNOEDGE_WORKERS=a:b:true\n").utf8))
        #expect(console.run("config import -") == 5)
        #expect(console.error.contains("has 1100 variables; allowed: at most 1024"))
        let large = RecordedConsole(input: [UInt8](repeating: UInt8(ascii: "#"), count: 2 << 20))
        #expect(large.run("config import -") == 1)
    }

    @Test(arguments: [
        ("/opt/imunoedge/.env", "/opt/imunoedge"), (".env", "/home/pi"), ("./a/../.env", "/home/pi/a/.."),
        ("/.env", "/"),
        ("a//b/.env", "/home/pi/a/b"),
    ])
    func `the folder of a file is found from the current one`(path: String, folder: String) {
        #expect(ImportCommand.folder(of: path, from: "/home/pi") == folder)
    }
}
