import ControlProtocol
import Foundation
import LinuxSystem
import MonotonicTime
import PluginSession
import TestSupport
import Testing

private struct Unexpected: Error {}

@Suite(.timeLimit(.minutes(2))) final class PluginSessionTests {
    private let folder: TemporaryDirectory
    private let library: String

    init() throws {
        folder = try TemporaryDirectory()
        library = try Fixture.compile(0, into: folder)
    }

    private func trial(
        _ kind: String, payload: String = "null", timeLimit: Duration = .seconds(20), stateDirectory: String? = nil,
        limits: PluginLimits = PluginLimits()
    ) throws -> Trial {
        try Trial(
            library, "test.\(kind)", payload: payload, timeLimit: timeLimit, stateDirectory: stateDirectory,
            limits: limits)
    }

    private static let done = PluginSession.End.succeeded(result: ["done": true])

    @Test func `a command gets its payload, and its result, log and progress arrive`() throws {
        let output = try SystemCall.open("\(folder.path)/printed", [.writeOnly, .create])
        let trial = try Trial(library, "test.echo", payload: #"{"a":[1,"ü"]}"#, output: output.rawValue)
        #expect(try trial.run() == .succeeded(result: ["a": [1, "ü"]]))
        #expect(trial.lines == ["warning: two lines"])
        #expect(trial.progress == ["50 half", "100 all"])
        #expect(trial.exit == .exited(code: 0) || trial.exit == .signaled(signal: SignalNumber.kill, coreDumped: false))
        #expect(try SystemCall.readFile("\(folder.path)/printed", limit: 100) == Array("printed cmd-1\n".utf8))
    }

    @Test func `a payload of the greatest length arrives whole`() throws {
        let text = "\"" + String(repeating: "x", count: PluginLimits.longestPayload - 2) + "\""
        #expect(
            try trial("echo", payload: text).run()
                == .succeeded(result: .string(String(repeating: "x", count: PluginLimits.longestPayload - 2))))
    }

    @Test(arguments: [
        ("segfault", "crashed", "it crashed while it executed test.segfault: SIGSEGV"),
        ("abort", "crashed", "it crashed while it executed test.abort: SIGABRT (it called abort: see what it printed)"),
        ("signal", "crashed", "it crashed while it executed test.signal: SIGTERM"),
        ("exit", "exited", "it ended its process with status 0 instead of returning, while it executed test.exit"),
        ("no-result", "no-result", "it returned as if it had succeeded, and set no result"),
        ("fail", "failed", "the lamp is broken"),
        ("fail-silently", "failed", "the plugin says that it failed (3), and not why"),
        ("megabytes", "result-too-long", "its result is longer than the 131072 bytes allowed"),
        ("close-return", "disconnected", "the plugin has closed its host's socket (descriptor 3)"),
        ("garbage", "garbled", "the plugin has written nonsense to its host's socket"),
    ]) func `a plugin that fails`(kind: String, code: String, message: String) throws {
        let failure = try trial(kind).failure()
        #expect(failure.code.rawValue == code)
        #expect(failure.message.replacing(", core dumped", with: "") == message)
    }

    @Test func `a result that is no JSON, or no UTF-8, is none`() throws {
        #expect(try trial("not-json").failure().code == .badResult)
        let trial = try trial("not-utf8")
        #expect(try trial.failure().code == .badResult)
        #expect(trial.lines == ["info: caf\u{fffd}"])
        #expect(trial.progress == ["? \u{fffd}"])
    }

    @Test func `the longest result arrives whole`() throws {
        guard case .succeeded(let result) = try trial("longest").run() else { throw Unexpected() }
        #expect(result.stringValue?.count == 128 * 1024 - 2)
    }

    @Test func `a kind that the plugin does not know is said to be unknown`() throws {
        let failure = try trial("lamp").failure()
        #expect(failure == PluginFailure(.unknownKind, "behaviours does not execute commands of the kind test.lamp"))
    }

    @Test func `a plugin that closes all descriptors and stays is noticed at once, not at its time limit`() throws {
        let began = MonotonicClock.now()
        let failure = try trial("close", limits: PluginLimits(exitGrace: .milliseconds(50))).failure()
        #expect(failure.code == .disconnected)
        #expect(began.duration(to: MonotonicClock.now()) < .seconds(10))
    }

    @Test func `nothing is written into a socket of the plugin that took the place of the host's`() throws {
        let failure = try trial("replace", stateDirectory: folder.path).failure()
        #expect(failure.code == .disconnected)
        #expect(try SystemCall.status(of: "\(folder.path)/mine").size == 0)
    }

    // MARK: Time and cancel

    @Test func `a plugin that hangs is hung, whether it says that it can be cancelled or not`() throws {
        let limits = PluginLimits(stopGrace: .milliseconds(100))
        let hanging = try trial("hang", timeLimit: .milliseconds(200), limits: limits).failure()
        #expect(hanging == PluginFailure(.hung, "it was not done within 200 ms"))
        let deaf = try trial("deaf", timeLimit: .milliseconds(200), limits: limits).failure()
        #expect(
            deaf
                == PluginFailure(.hung, "it was not done within 200 ms; it was told, and had not stopped 100 ms later"))
    }

    @Test func `a plugin that asks whether it is cancelled hears of the end of its time`() throws {
        let failure = try trial("wait", timeLimit: .milliseconds(200)).failure()
        #expect(
            failure
                == PluginFailure(
                    .timedOut, "it was not done within 200 ms, and stopped when told: no time left"))
    }

    private func cancel(_ kind: String, limits: PluginLimits = PluginLimits()) throws -> PluginSession.End {
        let trial = try trial(kind, limits: limits)
        let alarm = trial.loop.schedule(at: MonotonicClock.now().advanced(by: .milliseconds(300))) {
            trial.session.cancel("cancelled by ada")
        }
        defer { trial.loop.cancel(alarm) }
        return try trial.run()
    }

    @Test func `a cancelled plugin stops by itself, is waited for, or is not`() throws {
        #expect(
            try cancel("wait") == .failed(PluginFailure(.cancelled, "cancelled by ada: asked to stop")))
        #expect(try cancel("hang") == .failed(PluginFailure(.cancelled, "cancelled by ada")))
        #expect(
            try cancel("deaf", limits: PluginLimits(stopGrace: .milliseconds(100)))
                == .failed(
                    PluginFailure(.cancelled, "cancelled by ada; it was told, and had not stopped 100 ms later")))
        #expect(try cancel("finish-anyway") == Self.done, "what is done is done")
        #expect(try cancel("wake") == .failed(PluginFailure(.cancelled, "cancelled by ada: woken")))
    }

    // MARK: Processes and threads

    @Test func `what a plugin has forked ends with it, and does not speak for it`() throws {
        #expect(try trial("fork").run() == Self.done)
        #expect(try trial("fork-both").run() == Self.done)
    }

    @Test func `eight threads call host functions at the same time, and get their own answers`() throws {
        let trial = try trial("threads")
        #expect(try trial.run() == Self.done)
        #expect(trial.requests.count == 200)
        #expect(trial.lines.count == 200)
    }

    @Test func `calls of other threads do not matter once execute has returned`() throws {
        for _ in 0..<5 {
            guard case .succeeded(let result) = try trial("late").run() else { throw Unexpected() }
            #expect(result == ["done": true] || result == "late")
        }
    }

    @Test func `a flood of lines is cut, counted, and does not hold up the command`() throws {
        let trial = try trial("flood", limits: PluginLimits(logLinesPerSecond: 10))
        #expect(try trial.run() == Self.done)
        let dropped = trial.lines.compactMap { line in
            line.hasPrefix("warning: ")
                ? line.dropFirst(9).split(separator: " ").first.flatMap { Int($0) } : nil
        }
        #expect(trial.lines.count { $0 == "info: flood" } + dropped.reduce(0, +) == 20_000)
        #expect(trial.lines.count < 200)
        #expect(trial.progress.last == "99 flood")
        #expect(trial.progress.count < 200)
    }

    // MARK: Requests

    @Test func `requests carry what was asked, and answers come back with their descriptor or their reason`() throws {
        let file = try folder.write("artifact", "contents")
        let trial = try trial("ask")
        trial.answers = { request in
            switch request.call {
            case .fetchArtifact:
                guard let opened = try? SystemCall.open(file, .readOnly) else { return nil }
                return .success(PluginAnswer([:], descriptor: SharedDescriptor(opened)))
            case .activateBundle: return .failure(PluginRefusal(.notGranted, "bundle is not granted"))
            case .restoreBundle: return .success(PluginAnswer(["version": "1.0"]))
            case .askTree: return .success(PluginAnswer("longer than four bytes"))
            case .emit: return .success(PluginAnswer())
            case .other: return .failure(PluginRefusal(.unsupported, "there is no \(request.name)"))
            }
        }
        #expect(
            try trial.run()
                == .succeeded(result: [0, "contents", 1, -2, "bundle is not granted", 0, 17, -4, 24, 0, -7, -3, -3]))
        let digest = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        #expect(
            trial.requests.map(\.call) == [
                .fetchArtifact(name: "models/ear \"1\"", sha256: digest),
                .activateBundle(name: "shop", version: "2.0"), .restoreBundle(name: "shop", version: nil),
                .askTree(method: "Status", parameters: [:]), .emit(["fps": 30]), .other([:]),
            ])
        #expect(trial.requests.map(\.grant) == [.artifact, .bundle, .bundle, nil, .telemetry, nil])
    }

    @Test func `null pointers and small buffers are answered with an error`() throws {
        #expect(try trial("nothing").run() == Self.done)
    }

    @Test func `a plugin knows its private directory and the time it has left`() throws {
        #expect(
            try trial("state", stateDirectory: folder.path).run() == .succeeded(result: [.string(folder.path), 1]))
    }

    @Test func `the end of a host that is not there is told as the host's`() throws {
        let loop = try EventLoop()
        let process = try PluginHostProcess(
            loop: loop, path: "\(folder.path)/missing", environment: [], output: .discard)
        let session = PluginSession(
            loop: loop, socket: process.socket, library: try Fixture.seal(library),
            order: .init(id: "1", kind: "test.echo", payload: [], timeLimit: .seconds(5)))
        var end: PluginSession.End?
        session.onEnd = { end = $0 }
        process.onExit = { session.hostEnded($0, memoryExceeded: false) }
        try session.start()
        try loop.pump("the end") { end != nil }
        guard case .failed(let failure) = end else { throw Unexpected() }
        #expect(failure.code == .host)
    }

    @Test func `a host that the kernel ended for want of memory is said to be so`() throws {
        let trial = try trial("hang")
        trial.process.onExit = { trial.session.hostEnded($0, memoryExceeded: true) }
        _ = trial.loop.schedule(at: MonotonicClock.now().advanced(by: .milliseconds(200))) { trial.process.kill() }
        try trial.loop.pump("the end") { trial.end != nil }
        guard case .failed(let failure) = trial.end else { throw Unexpected() }
        #expect(failure.code == .memory)
    }
}
