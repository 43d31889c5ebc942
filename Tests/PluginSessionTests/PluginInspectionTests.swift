import ControlProtocol
import Foundation
import LinuxSystem
import MonotonicTime
import PluginSession
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) final class PluginInspectionTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func inspect(_ library: String, timeLimit: Duration = .seconds(10)) throws -> PluginInspection.Report {
        let loop = try EventLoop()
        let process = try PluginHostProcess(
            loop: loop, path: Fixture.host, environment: [], output: .descriptors(output: 2, error: 2))
        let inspection = PluginInspection(
            loop: loop, socket: process.socket, library: try Fixture.seal(library), timeLimit: timeLimit)
        var report: PluginInspection.Report?
        var hasExited = false
        inspection.onEnd = {
            report = $0
            process.kill()
        }
        process.onExit = {
            inspection.hostEnded($0)
            hasExited = true
        }
        try inspection.start()
        try loop.pump("the report") { report != nil && hasExited }
        return try #require(report)
    }

    @Test func `a good plugin is described, and has no fault`() throws {
        let report = try inspect(Fixture.compile(0, into: folder))
        #expect(report.faults == [])
        #expect(report.name == "behaviours")
        #expect(report.version == "1.0.0")
        #expect(report.summary == "Every fault.")
        #expect(report.abiVersion == 1)
        #expect(report.grants == ["artifact", "bundle"])
        #expect(report.kinds.count == 29)
        let first = try #require(report.kinds.first)
        #expect(first.name == "test.echo" && first.isParallel && first.isRepeatable && !first.isCancellable)
        #expect(
            report.kinds.filter(\.isCancellable).map(\.name) == [
                "test.deaf", "test.wait", "test.wake", "test.finish-anyway",
            ])
    }

    @Test(arguments: [
        (1, "wrong-abi", "it was built for version 2 of the plugin ABI, and this Holdfast knows version 1"),
        (
            2, "bad-descriptor",
            "its descriptor says that it has 40 bytes, and 72 are the least: size has to be sizeof(hf_plugin_descriptor)"
        ),
        (
            4, "bad-descriptor",
            "it does not export hf_plugin_entry_v1 (is the function static, hidden, or mangled by C++?)"
        ),
        (5, "bad-descriptor", "its hf_plugin_entry_v1 returns null instead of a descriptor"),
        (7, "crashed", "it crashes when it is loaded: SIGSEGV"),
        (9, "wrong-abi", "it was built for version 2 of the plugin ABI, and this Holdfast knows version 1"),
        (11, "hung", "it was not loaded within 300 ms"),
    ]) func `a plugin that cannot be used`(variant: Int, code: String, message: String) throws {
        let library = try Fixture.compile(variant, into: folder)
        let limit: Duration = code == "hung" ? .milliseconds(300) : .seconds(10)
        let report = try inspect(library, timeLimit: limit)
        #expect(report.faults.map(\.code.rawValue) == [code])
        #expect(report.faults.map(\.message) == [message])
        guard code != "hung" else { return }
        let failure = try Trial(library, "test.echo").failure()
        // While a command waits, it crashes on the way.
        #expect(failure.code.rawValue == code)
        if code != "crashed" { #expect(failure.message == message) }
    }

    @Test func `a symbol that nobody has is named`() throws {
        let report = try inspect(Fixture.compile(8, into: folder))
        #expect(report.faults.map(\.code) == [.notLoadable])
        #expect(report.faults.first?.message.contains("undefined symbol: ") == true)
    }

    @Test func `everything that is wrong with a descriptor is said at once`() throws {
        let report = try inspect(Fixture.compile(6, into: folder))
        let expected = [
            "its name is 'All Wrong'", "its version is '1 0'", "reserved is 9", "no function execute",
            "kind 1 is called 'Lamp'", "flags that this Holdfast does not know (0x80)", "lamp.blink: reserved is 3",
            "it has the kind lamp.blink twice", "kind 4 is called '(null)'", "the grant 'root'", "the grant '(null)'",
        ]
        #expect(report.faults.count == expected.count)
        for (fault, words) in zip(report.faults, expected) { #expect(fault.message.contains(words)) }
    }

    @Test func `a plugin of a newer header, with a longer descriptor and longer kinds, is used as far as it is known`()
        throws
    {
        let larger = try Fixture.compile(3, into: folder)
        #expect(try inspect(larger).faults == [])
        #expect(try Trial(larger, "test.echo", payload: "1").run() == .succeeded(result: 1))
        let wide = try Fixture.compile(10, into: folder)
        #expect(try inspect(wide).kinds.map(\.name) == ["test.echo", "test.state"])
        #expect(try Trial(wide, "test.state").run() == .succeeded(result: ["(null)", 1]))
    }

    @Test func `a wish that this version does not know is a fault for its author, and none for a device`() throws {
        let library = try Fixture.compile(12, into: folder)
        #expect(try inspect(library).faults.count == 1)
        #expect(try Trial(library, "test.echo", payload: "1").run() == .succeeded(result: 1))
    }

    @Test func `what is no library is refused in the linker's words`() throws {
        let report = try inspect(try folder.write("text.so", "no library at all"))
        #expect(report.faults.map(\.code) == [.notLoadable])
        #expect(report.faults.first?.message == "it cannot be loaded: file too short")
    }
}
