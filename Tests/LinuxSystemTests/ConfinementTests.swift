import CLinux
import Glibc
import TestSupport
import Testing

@testable import LinuxSystem

/// What the kernel does with a confined process. Perl, which every Debian has, makes any system call by its number.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ConfinementTests {
    static let hasLandlock = ((try? LandlockRules().ruleset()) ?? nil) != nil
    private static let nobody = SpawnRequest.Identity(uid: 65534, gid: 65534)

    /// Runs a script without privileges and with the filter.
    private static func perl(
        _ script: String, denying families: Set<SystemCallFilter.Family>
    ) throws -> String {
        try SpawnTests.run("") {
            $0.executable = "/usr/bin/perl"
            $0.arguments = ["perl", "-e", script]
            if getuid() == 0 { $0.identity = nobody }
            $0.confinement.forbidsNewPrivileges = true
            $0.confinement.systemCalls = SystemCallFilter(denying: families)
        }.output
    }

    /// The error numbers of calls, each with a first argument, in order.
    private static func errors(
        _ calls: [(number: UInt32, argument: UInt64)], denying families: Set<SystemCallFilter.Family>
    ) throws -> [Int32] {
        let script = calls.map { "$! = 0; syscall(\($0.number), \($0.argument), 0, 0, 0, 0); print $! + 0, ' ';" }
        return try perl(script.joined(), denying: families).split(separator: " ").compactMap { Int32($0) }
    }

    // MARK: System calls

    @Test(
        .enabled(if: SystemCallFilter.isAvailable, "this kernel filters no system calls"),
        arguments: [
            (SystemCallFilter.Family.clock, HF_CALLS_CLOCK), (.debug, HF_CALLS_DEBUG), (.kernel, HF_CALLS_KERNEL),
            (.keyring, HF_CALLS_KEYRING), (.module, HF_CALLS_MODULE), (.mount, HF_CALLS_MOUNT),
            (.namespace, HF_CALLS_NAMESPACE), (.privileged, HF_CALLS_PRIVILEGED), (.process, HF_CALLS_PROCESS),
            (.rawIO, HF_CALLS_RAW_IO), (.reboot, HF_CALLS_REBOOT), (.swap, HF_CALLS_SWAP),
        ])
    func everyCallOfADeniedFamilyIsRefused(family: SystemCallFilter.Family, group: hf_call_family) throws {
        var count = 0
        let numbers = Array(UnsafeBufferPointer(start: hf_system_calls(group, &count), count: count))
        #expect(!numbers.isEmpty)
        let errors = try Self.errors(numbers.map { ($0, 0) }, denying: [family])
        #expect(errors == numbers.map { _ in EPERM })
    }

    @Test(.enabled(if: SystemCallFilter.isAvailable, "this kernel filters no system calls"))
    func whatIsNotDeniedIsLeftAlone() throws {
        var count = 0
        let numbers = hf_system_calls(HF_CALLS_NAMESPACE, &count)
        // unshare(0) does nothing; setns(0) is no namespace.
        let calls = UnsafeBufferPointer(start: numbers, count: count).map { (number: $0, argument: UInt64(0)) }
        #expect(try !Self.errors(calls, denying: [.mount, .process]).contains(EPERM))
        #expect(try Self.perl("print fork() ? 'both' : ''", denying: [.mount, .namespace]) == "both")
    }

    @Test(.enabled(if: SystemCallFilter.isAvailable, "this kernel filters no system calls"))
    func argumentsDecideWhetherAProcessOrASocketIsMade() throws {
        let (newUser, child): (UInt64, UInt64) = (0x1000_0000, 17)
        let clone = hf_clone_number()
        #expect(
            try Self.errors([(clone, newUser | child), (hf_clone3_number(), 0)], denying: [.namespace])
                == [EPERM, ENOSYS])
        #expect(try Self.errors([(clone, child), (hf_clone3_number(), 0)], denying: [.process]) == [EPERM, ENOSYS])
        // A thread without memory to share is nothing that the kernel makes: so it was asked.
        #expect(try Self.errors([(clone, 0x0001_0000)], denying: [.process]) == [EINVAL])
        let socket = hf_socket_number()
        let families: [UInt64] = [2, 10, 16, 17]
        #expect(
            try Self.errors(families.map { (socket, $0) }, denying: [.network]) == families.map { _ in EAFNOSUPPORT })
        // Of no type: it reached the kernel.
        #expect(try Self.errors([(socket, 1)], denying: [.network]) == [ESOCKTNOSUPPORT])
    }

    @Test(.enabled(if: SystemCallFilter.isAvailable, "this kernel filters no system calls"))
    func callsFromAfterItsTimeAreUnknown() throws {
        let newer = hf_newest_system_call() + 1
        #expect(try Self.errors([(newer, 0), (500, 0), (0x4000_0027, 0)], denying: []) == [ENOSYS, ENOSYS, ENOSYS])
    }

    @Test(.enabled(if: SystemCallFilter.isAvailable, "this kernel filters no system calls"))
    func theProgramIsExecutedUnderEveryFamily() throws {
        let output = try Self.perl(
            "open F, '/proc/self/status'; print grep /NoNew|Seccomp:/, <F>",
            denying: Set(SystemCallFilter.Family.allCases))
        #expect(output == "NoNewPrivs:\t1\nSeccomp:\t2\n")
    }

    // MARK: Files

    /// What a shell and its tools need.
    private static var toolRules: LandlockRules {
        var rules = LandlockRules()
        for path in ["/usr", "/bin", "/lib", "/lib64"] { rules.allow(path, [.read, .execute]) }
        rules.allow("/etc/ld.so.cache", .read)
        rules.allow("/dev/null", [.read, .write])
        rules.allow("/no/such/path", .read)
        return rules
    }

    private static func run(_ script: String, _ rules: LandlockRules) throws -> String {
        let ruleset = try #require(try rules.ruleset())
        let number = try #require(ruleset.rawValue)
        defer { withExtendedLifetime(ruleset) {} }
        return try SpawnTests.run(script) {
            $0.confinement.forbidsNewPrivileges = true
            $0.confinement.ruleset = number
        }.output
    }

    @Test(.enabled(if: hasLandlock, "this kernel has no Landlock")) func onlyNamedFilesAreOpened() throws {
        let directory = try TemporaryDirectory()
        for name in ["open/a", "closed/a", "read/a"] { try directory.write(name, "word") }
        var rules = Self.toolRules
        rules.allow(directory.path + "/read", .read)
        let open = try SystemCall.open(directory.path + "/open", [.path, .directory])
        rules.allow(open.rawValue, [.read, .write])
        let script = """
            cd \(directory.path)
            try() { if "$@" 2> /dev/null; then echo "yes $*"; else echo "no $*"; fi; }
            try cat open/a; try cat read/a; try cat closed/a; try ls closed; try cat /etc/passwd
            try touch open/b; try mv open/b open/c; try rm open/c; try truncate -s 0 open/a
            try touch read/b; try rm read/a; try touch closed/b; try mknod open/device c 1 3
            """
        let lines = try Self.run(script, rules).split(separator: "\n").map { $0.replacing("word", with: "") }
        #expect(
            lines == [
                "yes cat open/a", "yes cat read/a", "no cat closed/a", "no ls closed", "no cat /etc/passwd",
                "yes touch open/b", "yes mv open/b open/c", "yes rm open/c", "yes truncate -s 0 open/a",
                "no touch read/b", "no rm read/a", "no touch closed/b", "no mknod open/device c 1 3",
            ])
        withExtendedLifetime(open) {}
    }

    @Test(.enabled(if: hasLandlock, "this kernel has no Landlock")) func onlyNamedProgramsAreExecuted() throws {
        let directory = try TemporaryDirectory()
        try directory.write("program", "#!/bin/sh\necho ran", permissions: 0o755)
        var rules = Self.toolRules
        rules.allow(directory.path, .read)
        #expect(try Self.run("\(directory.path)/program 2> /dev/null || echo refused", rules) == "refused\n")
        rules.allow(directory.path, .execute)
        #expect(try Self.run("\(directory.path)/program", rules) == "ran\n")
    }

    @Test(.enabled(if: hasLandlock, "this kernel has no Landlock"))
    func tcpAndProcessesOutsideAreOutOfReachWhereTheKernelCanSay() throws {
        let version = hf_landlock_version()
        // Port 1 of this machine refuses whoever gets so far.
        let connect = """
            use Socket; socket(S, AF_INET, SOCK_STREAM, 0); connect(S, sockaddr_in(1, INADDR_LOOPBACK)); print $! + 0
            """
        let run = { (rules: LandlockRules) in try Self.run("exec perl -e '\(connect)'", rules) }
        #expect(try run(Self.toolRules) == (version >= 4 ? "\(EACCES)" : "\(ECONNREFUSED)"))
        var rules = Self.toolRules
        rules.allowsTCP = true
        #expect(try run(rules) == "\(ECONNREFUSED)")
        let signal = try Self.run("kill -0 \(getpid()) 2> /dev/null && echo reached", Self.toolRules)
        #expect(signal == (version >= 6 ? "" : "reached\n"))
    }

    @Test func withoutLandlockThereAreNoRules() throws {
        for code in [ENOSYS, EOPNOTSUPP] {
            let isNone = try FaultInjection.during("landlock_create_ruleset", errno: code) {
                try LandlockRules().ruleset() == nil
            }
            #expect(isNone)
        }
        #expect(throws: SystemError.self) {
            try FaultInjection.during("landlock_create_ruleset", errno: EPERM) { _ = try LandlockRules().ruleset() }
        }
    }

    @Test(.enabled(if: hasLandlock, "this kernel has no Landlock")) func theRulesetIsNotLeftToTheProgram() throws {
        var rules = Self.toolRules
        rules.allow("/proc", .read)
        #expect(try Self.run("exec ls /proc/self/fd", rules) == "0\n1\n2\n3\n")
    }

    // MARK: Both

    @Test func capabilitiesAreGoneForEveryUser() throws {
        try #require(getuid() == 0, "needs root to have capabilities")
        for identity in [nil, Self.nobody] {
            let status = try SpawnTests.run("exec cat /proc/self/status") {
                $0.identity = identity
                $0.confinement.forbidsNewPrivileges = true
                $0.confinement.dropsCapabilities = true
            }.output
            for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                #expect(status.contains("\(set):\t0000000000000000"), "\(set) of \(identity?.uid ?? 0)")
            }
        }
    }

    @Test func whatNeedsNoNewPrivilegesIsRefusedWithoutThem() {
        let changes: [@Sendable (inout Confinement) -> Void] = [
            { $0.systemCalls = SystemCallFilter(denying: [.mount]) }, { $0.ruleset = 0 },
            { $0.dropsCapabilities = true },
        ]
        for change in changes {
            let error = #expect(throws: SystemError.self) { try SpawnTests.run("true") { change(&$0.confinement) } }
            #expect(error?.errno == EINVAL)
        }
    }

    @Test(.enabled(if: hasLandlock, "this kernel has no Landlock")) func aConfinementThatFailsIsAFailedStart() throws {
        let outcome = try SpawnTests.run("true") {
            $0.confinement.forbidsNewPrivileges = true
            $0.confinement.ruleset = 0
        }.outcome
        #expect(outcome == .failed(step: "landlock_restrict_self", errno: EBADFD))
    }

    @Test func aProcessThatWithholdsItsMemoryConfinesOthersAllTheSame() async {
        await #expect(processExitsWith: .success) {
            try SystemCall.withholdMemoryFromChildren()
            let ruleset = try ConfinementTests.toolRules.ruleset()
            let number = ruleset?.rawValue
            let (output, outcome, _) = try SpawnTests.run("echo $((6 * 7)); touch /tmp/holdfast-no || echo no") {
                $0.confinement.forbidsNewPrivileges = true
                $0.confinement.dropsCapabilities = true
                $0.confinement.ruleset = number
                if SystemCallFilter.isAvailable {
                    $0.confinement.systemCalls = SystemCallFilter(denying: [.mount, .namespace, .privileged])
                }
            }
            #expect(outcome == .executed)
            #expect(output.hasPrefix("42\n"))
            if number != nil { #expect(output.hasSuffix("no\n")) }
        }
    }
}
