import ControlProtocol
import LinuxSystem
import SeededRandom
import Spool
import TestSupport
import Testing

@testable import OperatorCLI

@Suite(.timeLimit(.minutes(1))) struct SpoolCommandTests {
    private let folder: TemporaryDirectory
    private var path: String { folder.path + "/events" }

    init() throws {
        folder = try TemporaryDirectory()
        let spool = try open()
        for number in 1...3 { try spool.append(Array(#"{"number":\#(number)}"#.utf8), at: 1_000) }
        try spool.sync(at: 1_000)
        try spool.acknowledge(through: 1)
        // Saves the cursor.
        try spool.append(Array("no JSON".utf8), at: 2_000)
        try spool.sync(at: 2_000)
    }

    private func open() throws -> Spool {
        var random = SeededGenerator(seed: 1)
        let settings = SpoolSettings(quota: 1 << 20, whenFull: .dropOldest)
        return try Spool(SpoolFolder(path), settings, at: 1_000, using: &random)
    }

    private func run(_ arguments: String) -> (status: Int32, output: String, error: String) {
        let console = RecordedConsole()
        let status = console.run("spool \(arguments)")
        return (status, console.output, console.error)
    }

    private func tear() throws {
        let name = try #require(try SystemCall.names(inDirectory: path).first { $0.hasSuffix(".seg") })
        let file = try SystemCall.open("\(path)/\(name)", [.writeOnly, .append])
        _ = try SystemCall.write(file.rawValue, Array("torn".utf8))
    }

    @Test func `stat finds both spools in the folder that holds them, and counts what waits`() throws {
        let table = run("stat \(folder.path)")
        #expect(table.status == 0 && table.error == "")
        let columns = table.output.split(separator: "\n").last?.split(separator: " ").map { String($0) } ?? []
        #expect(columns.first == path && columns[1] == "3" && columns.last == "good")
        let json = try JSONValue.parse(Array(run("stat \(path) --json").output.utf8)).arrayValue?.first
        #expect(json?["acknowledged"] == 1 && json?["last"] == 4 && json?["waiting"] == 3)
    }

    @Test func `check names a torn end, repair cuts it off, and a second check is content`() throws {
        #expect(run("check \(path)").status == 0)
        try tear()
        let torn = run("check \(path)")
        #expect(torn.status == 1)
        #expect(torn.output.contains("4 bytes that are no records"))
        #expect(torn.error.contains("holdfast spool repair"))
        #expect(run("repair \(path)").status == 0)
        #expect(run("check \(path)").status == 0)
    }

    @Test func `a spool in use is not repaired, and who has it is said`() throws {
        let spool = try open()
        let result = run("repair \(path)")
        #expect(result.status == 1 && result.error.contains("stop holdfast-uplink first"))
        #expect(spool.acknowledged == 1)
    }

    @Test func `dump prints records from a number on, as they are or as JSON`() throws {
        let text = run("dump \(path) --after 2")
        #expect(text.output.contains(#"3  "#) && text.output.contains(#"{"number":3}"#))
        #expect(!text.output.contains(#"{"number":2}"#))
        let lines = run("dump \(path) --after 2 --json").output.split(separator: "\n")
        #expect(try lines.map { try JSONValue.parse(Array($0.utf8))["record"] } == [["number": 3], "no JSON"])
    }

    @Test func `a folder that is not there is an error that names it`() {
        let result = run("stat /nowhere/spool")
        #expect(result.status == 1 && result.error.contains("/nowhere/spool cannot be read"))
    }
}
