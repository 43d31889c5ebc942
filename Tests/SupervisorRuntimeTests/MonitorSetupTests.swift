import LinuxSystem
import Supervision
import Testing

@testable import SupervisorRuntime

/// What `holdfast-monitor` is started with, tried out by another program.
@Suite(.timeLimit(.minutes(1))) struct MonitorSetupTests {
    private static let isConfinable = SystemCallFilter.isAvailable && ((try? LandlockRules().ruleset()) ?? nil) != nil

    @Test(.enabled(if: isConfinable, "this kernel has no Landlock, or filters no system calls"))
    func `it may read what the kernel tells and use the network, and write and start nothing`() throws {
        let script = """
            sub try { print $_[0], $_[1] ? " yes" : " no", "\\n" }
            try("proc", open(F, "<", "/proc/self/stat"));
            try("sys", opendir(D, "/sys/class"));
            try("passwd", open(F, "<", "/etc/passwd"));
            try("write", open(F, ">", "/tmp/holdfast-$$"));
            try("sysctl", open(F, ">", "/proc/sys/kernel/core_pattern"));
            try("process", defined(fork()));
            try("execute", exec("/bin/true"));
            try("internet", socket(S, 2, 1, 0));
            try("listen", bind(S, pack("S n a4 x8", 2, 0, "\\x7f\\0\\0\\1")) && listen(S, 1));
            """
        let (readEnd, writeEnd) = try SystemCall.makePipe().shared()
        var request = SpawnRequest(
            executable: try #require(SystemCall.programInterpreter),
            arguments: ["ld.so", "/usr/bin/perl", "-e", script])
        let setup = MonitorSetup(reading: ["/usr/bin/perl"])
        setup.confinement.apply(to: &request)
        let number = try #require(writeEnd.rawValue)
        request.output = .descriptors(output: number, error: number)
        let child = try withExtendedLifetime(setup) { try ChildProcess.spawn(request) }
        writeEnd.close()
        try #require(try SystemCall.wait(for: child.exitDescriptor, .readable, timeout: .seconds(20)))
        #expect(child.takeExecOutcome() == .executed)
        #expect(child.exit(keepingZombie: false) == .exited(code: 0))
        var buffer = [UInt8](repeating: 0, count: 65536)
        let end = try #require(readEnd.rawValue)
        let count = try buffer.withUnsafeMutableBytes { try SystemCall.read(end, into: $0) }.value
        #expect(
            String(decoding: buffer.prefix(count ?? 0), as: UTF8.self) == """
                proc yes
                sys yes
                passwd no
                write no
                sysctl no
                process no
                execute no
                internet yes
                listen yes

                """)
    }

    @Test func `Holdfast's own processes are in their order, and there only when they are wanted`() {
        let fingerprint = LaunchFingerprint("x")
        func names(_ specification: SupervisorSpecification) -> [String] {
            specification.children.compactMap { if case .worker(let worker) = $0 { worker.name } else { nil } }
        }
        let all = SystemSupervisor.specification(output: fingerprint, monitor: fingerprint, uplink: fingerprint)
        #expect(names(all) == ["holdfast-output", "holdfast-monitor", "holdfast-uplink"])
        let least = SystemSupervisor.specification(output: fingerprint, monitor: nil, uplink: nil)
        #expect(names(least) == ["holdfast-output"])
        for case .worker(let worker) in all.children { #expect(worker.isEssential) }
    }
}
