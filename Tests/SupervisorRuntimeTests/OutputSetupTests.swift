import DeviceConfiguration
import LinuxSystem
import TestSupport
import Testing

@testable import SupervisorRuntime

/// What `holdfast-output` is started with, tried out by another program. Perl, which every Debian has, is brought into the log
/// folder, the one place besides the libraries where it may be read.
@Suite(.timeLimit(.minutes(1))) struct OutputSetupTests {
    private static let isConfinable = SystemCallFilter.isAvailable && ((try? LandlockRules().ruleset()) ?? nil) != nil

    private static func output(of request: SpawnRequest) throws -> String {
        let (readEnd, writeEnd) = try SystemCall.makePipe().shared()
        var request = request
        let number = try #require(writeEnd.rawValue)
        request.output = .descriptors(output: number, error: number)
        let child = try ChildProcess.spawn(request)
        writeEnd.close()
        try #require(try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: .seconds(20)))
        #expect(child.exit(keepingZombie: false) == .exited(code: 0))
        var buffer = [UInt8](repeating: 0, count: 65536)
        let end = try #require(readEnd.rawValue)
        let count = try buffer.withUnsafeMutableBytes { try SystemCall.read(end, into: $0) }.value
        return String(decoding: buffer.prefix(count ?? 0), as: UTF8.self)
    }

    @Test(.enabled(if: isConfinable, "this kernel has no Landlock, or filters no system calls"))
    func `it leaves a process the log folder and nothing else`() throws {
        let directory = try TemporaryDirectory()
        // Whatever is refused here is not refused by the modes of files.
        let outside = directory.path + "/outside"
        try SystemCall.makeDirectory(outside)
        try SystemCall.changeMode(of: outside, to: 0o777)
        let log = directory.path + "/log"
        let perl = try directory.write(
            "log/perl.log", try SystemCall.readFile("/usr/bin/perl", limit: 1 << 26), permissions: 0o755)
        let file = try directory.write(
            "holdfast.toml",
            """
            [runtime]
            state_dir = "\(directory.path)"
            runtime_dir = "\(directory.path)/run"
            """)
        let setup = OutputSetup(try #require(Configuration.load(paths: [file], variables: []).configuration))
        let script = """
            sub try { print $_[0], $_[1] ? " yes" : " no", "\\n" }
            try("inside", open(F, ">", "\(log)/$$.log"));
            try("outside", open(F, ">", "\(outside)/$$"));
            try("read", open(F, "<", "/etc/passwd"));
            try("process", defined(fork()));
            try("execute", exec("/bin/true"));
            try("internet", socket(S, 2, 1, 0));
            try("unix", socket(S, 1, 1, 0));
            """
        var request = SpawnRequest(
            executable: try #require(SystemCall.programInterpreter), arguments: ["ld.so", perl, "-e", script])
        let free = try Self.output(of: request)
        #expect(free.hasPrefix("inside yes\noutside yes\nread yes\nprocess yes\n"))
        setup.confinement.apply(to: &request)
        let confined = try Self.output(of: request)
        #expect(
            confined == "inside yes\noutside no\nread no\nprocess no\nexecute no\ninternet no\nunix yes\n")
    }
}
