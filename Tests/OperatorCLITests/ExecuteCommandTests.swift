import ControlProtocol
import Testing

@testable import OperatorCLI

@Suite(.timeLimit(.minutes(1))) struct ExecuteCommandTests {
    private func run(
        _ arguments: [String], _ replies: [VarlinkReply]
    ) throws -> (status: Int32, output: String, error: String, calls: [VarlinkCall]) {
        let server = try ScriptedServer { _ in .reply(replies) }
        defer { server.stop() }
        let console = RecordedConsole()
        let status = console.run(arguments + ["--socket", server.path])
        return (status, console.output, console.error, server.calls)
    }

    @Test func `the result is printed, and what came before it goes to standard error`() throws {
        let (status, output, error, calls) = try run(
            ["execute", "lamp.blink", "--payload", "{\"times\": 3}", "--id", "c-1", "--time-limit", "2.5"],
            [
                VarlinkReply(ExecutionReply(state: .queued, plugin: "lamp"), continues: true),
                VarlinkReply(
                    ExecutionReply(state: .running, plugin: "lamp", percent: 30, message: "on"), continues: true),
                VarlinkReply(ExecutionReply(state: .running, plugin: "lamp", log: "a\u{1b}line"), continues: true),
                VarlinkReply(ExecutionReply(state: .succeeded, plugin: "lamp", result: ["lit": true])),
            ])
        #expect(status == 0)
        #expect(output == "{\"lit\":true}\n")
        #expect(error.contains("waiting for another command\n30 %: on\n"))
        #expect(error.contains("line") && !error.contains("\u{1b}line"))
        #expect(
            calls.first?.parameters == [
                "id": "c-1", "kind": "lamp.blink", "payload": ["times": 3], "time_limit_s": 2.5,
            ])
    }

    @Test func `a command that fails says why, and is exit status 1`() throws {
        let (status, output, error, _) = try run(
            ["execute", "lamp.blink"],
            [VarlinkReply(ExecutionReply(state: .failed, plugin: "lamp", message: "SIGSEGV", code: "crashed"))])
        #expect(status == 1)
        #expect(output == "")
        #expect(error.contains("crashed: SIGSEGV"))
        let refused = try run(
            ["execute", "lamp.blink"], [RuntimeError.executionRefused(message: "there is no plugin").reply])
        #expect(refused.status == 1)
        #expect(refused.error.contains("not carried out: there is no plugin"))
    }

    @Test(arguments: ["[1]", "{", "@/nowhere/payload.json"])
    func `a payload that is none is refused before anything is asked`(payload: String) throws {
        let (status, _, error, calls) = try run(["execute", "lamp.blink", "--payload", payload], [])
        #expect(status != 0)
        #expect(error.contains("payload") || error.contains("cannot be read"))
        #expect(calls.isEmpty)
    }

    @Test func `plugins are listed with their state, and why one is not used`() throws {
        let plugins = PluginsReply(plugins: [
            PluginReport(
                name: "lamp", file: "/opt/lamp.so", state: .ready, version: "1.2",
                kinds: [
                    PluginKind(
                        name: "lamp.blink", summary: nil, isParallel: false, isRepeatable: false, isCancellable: false)
                ], grants: ["tree-read"], missingGrants: ["network"], running: 1),
            PluginReport(name: "door", file: "/opt/door.so", state: .refused, reason: "there is no /opt/door.so"),
        ])
        let (status, output, _, _) = try run(["plugin", "list"], [VarlinkReply(plugins)])
        #expect(status == 0)
        let lines = output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[1].hasPrefix("lamp"))
        for part in ["1.2", "ready", "tree-read", "lamp.blink", "would like network"] {
            #expect(lines[1].contains(part))
        }
        for part in ["door", "refused", "there is no /opt/door.so"] { #expect(lines[2].contains(part)) }
        #expect(try run(["plugin", "list"], [VarlinkReply(PluginsReply(plugins: []))]).output.contains("no plugins"))
    }

    @Test func `a command is cancelled by its id`() throws {
        let (status, _, _, calls) = try run(["plugin", "cancel", "c-1"], [VarlinkReply()])
        #expect(status == 0)
        #expect(calls.first?.method == "io.holdfast.Runtime.CancelExecution")
        #expect(try run(["plugin", "cancel", "c-1"], [RuntimeError.noSuchExecution(id: "c-1").reply]).status == 1)
    }
}
