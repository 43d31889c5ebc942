import ControlProtocol
import Foundation
import LinuxSystem
import MonotonicTime
import PluginSession
import TestSupport
import Testing

/// Real plugins in the real host program.
enum Fixture {
    private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
    private static let package = sources.deletingLastPathComponent().deletingLastPathComponent()
    /// Beside the tests' own program.
    static let host = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "holdfast-plugin-host").path

    /// Compiles behaviours.c.
    static func compile(_ variant: Int, into folder: TemporaryDirectory) throws -> String {
        let output = "\(folder.path)/variant\(variant).so"
        var request = SpawnRequest(
            executable: "/usr/bin/cc",
            arguments: [
                "cc", "-w", "-std=gnu11", "-shared", "-fPIC", "-pthread", "-DVARIANT=\(variant)",
                "-I\(package.path)/Sources/CPluginABI/include", "-o", output,
                sources.appending(path: "behaviours.c").path,
            ], environment: ["PATH=/usr/bin:/bin", "TMPDIR=\(folder.path)"])
        request.output = .descriptors(output: 2, error: 2)
        let compiler = try ChildProcess.spawn(request)
        try #require(try SystemCall.wait(for: compiler.exitDescriptor, .readable, timeout: .seconds(30)))
        try #require(compiler.exit(keepingZombie: false) == .exited(code: 0), "the fixture does not compile")
        return output
    }

    static func seal(_ path: String) throws -> SharedDescriptor {
        let file = try SystemCall.open(path, .readOnly)
        return SharedDescriptor(try SystemCall.sealedCopy(of: file.rawValue, named: "plugin", limit: 64 << 20))
    }
}

/// One command in one plugin, up to its end.
final class Trial {
    let loop: EventLoop
    let session: PluginSession
    let process: PluginHostProcess
    private(set) var lines: [String] = []
    private(set) var progress: [String] = []
    private(set) var end: PluginSession.End?
    private(set) var exit: ProcessExit?
    /// What to answer; `nil` never answers.
    var answers: (PluginRequest) -> Result<PluginAnswer, PluginRefusal>? = { request in
        guard case .other(let arguments) = request.call, request.name == "test.double" else { return nil }
        return .success(PluginAnswer(.int(Int64((arguments["number"]?.intValue ?? 0) * 2))))
    }
    private(set) var requests: [PluginRequest] = []

    init(
        _ library: String, _ kind: String, payload: String = "null", timeLimit: Duration = .seconds(20),
        stateDirectory: String? = nil, limits: PluginLimits = PluginLimits(), output: Int32 = 2
    ) throws {
        loop = try EventLoop()
        process = try PluginHostProcess(
            loop: loop, path: Fixture.host, environment: ["PATH=/usr/bin:/bin"],
            output: .descriptors(output: output, error: output))
        session = PluginSession(
            loop: loop, socket: process.socket, library: try Fixture.seal(library),
            order: .init(
                id: "cmd-1", kind: kind, payload: Array(payload.utf8), timeLimit: timeLimit,
                stateDirectory: stateDirectory, limits: limits))
        session.onLog = { [unowned self] in lines.append("\($0.name): \($1)") }
        session.onProgress = { [unowned self] in progress.append("\($0.map(String.init) ?? "?") \($1)") }
        session.onRequest = { [unowned self] request, answer in
            requests.append(request)
            if let given = answers(request) { answer(given) }
        }
        session.onEnd = { [unowned self] in
            #expect(end == nil, "a second end")
            end = $0
            process.kill()
        }
        process.onExit = { [unowned self] in
            exit = $0
            session.hostEnded($0, memoryExceeded: false)
        }
        try session.start()
    }

    /// Until the end of both.
    @discardableResult
    func run() throws -> PluginSession.End {
        try loop.pump("the end of the command", within: .seconds(30)) { end != nil && exit != nil }
        return try #require(end)
    }

    /// The failure that is the command's end.
    func failure() throws -> PluginFailure {
        guard case .failed(let failure) = try run() else {
            Issue.record("it succeeded")
            return PluginFailure(.failed, "")
        }
        return failure
    }
}
