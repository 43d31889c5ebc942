import Glibc
import TestSupport
import Testing

@testable import LinuxSystem

/// What the kernel makes of a sandbox. As root; unprivileged ones are tried with the whole daemon.
@Suite(.serialized, .timeLimit(.minutes(1)), .enabled(if: getuid() == 0, "needs root to make namespaces"))
struct SandboxTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        // Nobody may do here what he likes, so that only the sandbox can refuse it.
        try SystemCall.changeMode(of: directory.path, to: 0o777)
        for name in ["a", "b", "b/c", "b/c/d"] {
            try SystemCall.makeDirectory("\(directory.path)/\(name)")
            try SystemCall.changeMode(of: "\(directory.path)/\(name)", to: 0o777)
        }
        try directory.write("a/file", "word\n")
        try directory.write("secret", "secret\n")
        try SystemCall.changeMode(of: directory.path + "/secret", to: 0o666)
    }

    private func place(_ name: String, _ access: Sandbox.Access) -> Sandbox.Place {
        Sandbox.Place(directory.path + "/" + name, access)
    }

    /// Runs a script in the directory, as root or nobody.
    private func run(_ script: String, _ sandbox: Sandbox, asRoot: Bool = false) throws -> String {
        let prelude = "try() { if (eval \"$*\") 2> /dev/null; then echo \"yes $*\"; else echo \"no $*\"; fi; }\n"
        let (output, outcome, _) = try SpawnTests.run(prelude + script) {
            if !asRoot { $0.identity = SpawnRequest.Identity(uid: 65534, gid: 65534) }
            $0.workingDirectory = directory.path
            $0.confinement.sandbox = sandbox
        }
        #expect(outcome == .executed)
        return output
    }

    @Test(arguments: [false, true])
    func readOnlyPathsRefuseWritesAndExceptionsTakeThem(asRoot: Bool) throws {
        let sandbox = Sandbox([
            place("b/c/d", .readOnly), place("b", .readOnly), place("b/c", .writable), place("a/file", .readOnly),
        ])
        let output = try run(
            """
            try 'echo x > a/new'; try 'echo x > a/file'; try 'cat a/file > /dev/null'; try 'rm a/file'
            try 'echo x > b/new'; try 'rmdir b/c'; try 'echo x > b/c/new'; try 'echo x > b/c/d/new'
            sh -c 'sh -c "echo x > b/grandchild"' 2> /dev/null || echo refused
            """, sandbox, asRoot: asRoot)
        #expect(
            output == """
                yes echo x > a/new
                no echo x > a/file
                yes cat a/file > /dev/null
                no rm a/file
                no echo x > b/new
                no rmdir b/c
                yes echo x > b/c/new
                no echo x > b/c/d/new
                refused

                """)
    }

    @Test(arguments: [false, true])
    func everythingCanBeReadOnlyButForExceptions(asRoot: Bool) throws {
        let sandbox = Sandbox([Sandbox.Place("/", .readOnly), place("b", .writable), place("b/c", .readOnly)])
        let output = try run(
            """
            try 'echo x > a/new'; try 'echo x > b/new'; try 'echo x > b/c/new'; try 'echo x > /dev/null'
            try 'echo x > /dev/shm/holdfast-test'; try 'echo 0 > /proc/self/oom_score_adj'
            """, sandbox, asRoot: asRoot)
        #expect(
            output == """
                no echo x > a/new
                yes echo x > b/new
                no echo x > b/c/new
                yes echo x > /dev/null
                no echo x > /dev/shm/holdfast-test
                no echo 0 > /proc/self/oom_score_adj

                """)
    }

    /// unshare(2) with CLONE_NEWNS, which Swift does not see among the functions of the C library.
    private static func unshareMounts() -> Bool {
        guard let address = dlsym(nil, "unshare") else { return false }
        // SAFETY: its type, as unshare(2) has it.
        return unsafeBitCast(address, to: (@convention(c) (Int32) -> Int32).self)(0x0002_0000) == 0
    }

    @Test func anExceptionIsNoMoreWritableThanOutside() async {
        await #expect(processExitsWith: .success) {
            let tests = try SandboxTests()
            let folder = tests.directory.path + "/b/c"
            // Read-only on the machine itself, as this thread has it from now on.
            try #require(Self.unshareMounts())
            try #require(mount(nil, "/", nil, UInt(bitPattern: Int(MS_REC) | Int(MS_PRIVATE)), nil) == 0)
            try #require(mount(folder, folder, nil, UInt(bitPattern: Int(MS_BIND)), nil) == 0)
            let flags = Int(MS_BIND) | Int(MS_REMOUNT) | Int(MS_RDONLY)
            try #require(mount(nil, folder, nil, UInt(bitPattern: flags), nil) == 0)
            let script = "try 'echo x > b/new'; try 'echo x > b/c/new'"
            let expected = "yes echo x > b/new\nno echo x > b/c/new\n"
            #expect(try tests.run(script, Sandbox([])) == expected)
            let sandbox = Sandbox([Sandbox.Place("/", .readOnly), tests.place("b", .writable)])
            #expect(try tests.run(script, sandbox) == expected)
            try #require(umount(folder) == 0)
        }
    }

    @Test(arguments: [false, true])
    func hiddenPathsHaveNothingInThem(asRoot: Bool) throws {
        let sandbox = Sandbox([place("a", .hidden), place("secret", .hidden)])
        let output = try run(
            """
            try 'cat a/file'; try 'echo x > a/new'; cat secret 2> /dev/null; try 'mv a elsewhere'
            echo gone > secret; try 'umount a'; try 'umount secret'; ls -A a 2> /dev/null
            try 'unshare --mount --user --map-root-user umount a'
            try 'unshare --mount --user --map-root-user umount -l a'
            """, sandbox, asRoot: asRoot)
        #expect(
            output == """
                no cat a/file
                no echo x > a/new
                no mv a elsewhere
                no umount a
                no umount secret
                no unshare --mount --user --map-root-user umount a
                no unshare --mount --user --map-root-user umount -l a

                """)
        #expect(try SystemCall.readFile(directory.path + "/secret", limit: 100) == Array("secret\n".utf8))
    }

    @Test func whatIsHiddenIsNotReachedThroughAnotherProcess() throws {
        try #require(Sandbox.canBeSealed, "this kernel has no Landlock of version 2")
        // Of the same user and outside.
        var request = SpawnRequest(executable: "/bin/sleep", arguments: ["sleep", "1000"])
        request.identity = SpawnRequest.Identity(uid: 65534, gid: 65534)
        let outside = try ChildProcess.spawn(request)
        defer {
            try? outside.signal(SIGKILL)
            _ = try? SystemCall.wait(for: outside.exitDescriptor, .readable, timeout: .seconds(20))
            _ = outside.exit(keepingZombie: false)
        }
        let descriptor = try #require(outside.execDescriptor)
        try #require(try SystemCall.wait(for: descriptor, .readable, timeout: .seconds(20)))
        let path = "/proc/\(outside.pid)/root\(directory.path)/a/file"
        // It is reached by one without a sandbox, or the test proves nothing.
        #expect(try run("cat \(path)", Sandbox([])) == "word\n")
        for asRoot in [false, true] {
            #expect(
                try run("cat \(path) 2> /dev/null || echo refused", Sandbox([place("a", .hidden)]), asRoot: asRoot)
                    == "refused\n")
        }
    }

    @Test(arguments: [false, true])
    func whatIsHiddenIsNotReachedByRootsOtherMeans(asRoot: Bool) throws {
        let output = try run(
            """
            try 'mknod device b 8 0'; try 'nsenter --target 1 --mount true'; try 'nsenter --target 1 --net true'
            try 'mount -t tmpfs none b'; try 'unshare --mount true'
            grep -E '^Cap(Eff|Bnd)' /proc/self/status | while read name set; do
                echo $(( 0x$set & (1 << 2 | 1 << 16 | 1 << 17 | 1 << 19 | 1 << 21 | 1 << 27) )); done
            """, Sandbox([place("a", .hidden)]), asRoot: asRoot)
        #expect(
            output == """
                no mknod device b 8 0
                no nsenter --target 1 --mount true
                no nsenter --target 1 --net true
                no mount -t tmpfs none b
                no unshare --mount true
                0
                0

                """)
    }

    @Test func filesAreMovedBetweenFoldersAsEver() throws {
        let script = "mv a/file b/file && ln b/file b/c/file && cat b/c/file"
        #expect(try run(script, Sandbox([Sandbox.Place("/etc", .readOnly)]), asRoot: true) == "word\n")
    }

    @Test func scratchIsNewAndGoesWithTheProcess() throws {
        let sandbox = Sandbox([place("b", .scratch), place("not/there", .scratch)])
        let output = try run("ls -A b; stat -c %a b; echo x > b/mine; cat b/mine; stat -f -c %T b", sandbox)
        #expect(output == "1777\nx\ntmpfs\n")
        #expect(try SystemCall.names(inDirectory: directory.path + "/b") == ["c"])
    }

    @Test func withoutNetworkThereIsALoopbackOfItsOwn() throws {
        let sandbox = Sandbox([], hasNetwork: false)
        let script = """
            tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '
            exec perl -e 'use Socket; socket(S, AF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(0, INADDR_LOOPBACK));
                listen(S, 1); socket(C, AF_INET, SOCK_STREAM, 0); print connect(C, getsockname(S)) ? "self\\n" : "$!\\n";
                socket(D, AF_INET, SOCK_STREAM, 0); connect(D, sockaddr_in(80, inet_aton("192.0.2.1"))); print "$!\\n"'
            """
        #expect(try run(script, sandbox) == "lo\nself\nNetwork is unreachable\n")
    }

    @Test func theMachineSeesNothingOfIt() throws {
        let sandbox = Sandbox(
            [Sandbox.Place("/", .readOnly), place("a", .hidden), place("b", .scratch), place("secret", .hidden)],
            hasNetwork: false)
        let mounts = "cat /proc/self/mountinfo"
        #expect(try run(mounts, sandbox).contains(directory.path))
        #expect(try !run(mounts, Sandbox([])).contains(directory.path))
        // What was read-only in it is not so outside.
        try directory.write("b/new", "x")
    }

    @Test func noDescriptorIsLeftToTheProgram() throws {
        let sandbox = Sandbox([Sandbox.Place("/etc", .readOnly), place("b", .writable), place("a", .hidden)])
        #expect(try run("exec ls /proc/self/fd", sandbox) == "0\n1\n2\n3\n")
    }

    @Test(arguments: [
        (Sandbox.Access.readOnly, "make read-only"), (.writable, "leave writable"), (.hidden, "hide"),
    ])
    func aPathThatIsNotThereIsAFailedStart(access: Sandbox.Access, verb: String) throws {
        let missing = directory.path + "/missing"
        let outcome = try SpawnTests.run("true") {
            $0.confinement.sandbox = Sandbox([Sandbox.Place("/etc", .readOnly), Sandbox.Place(missing, access)])
        }.outcome
        #expect(outcome == .failed(step: "sandbox: \(verb) \(missing)", errno: ENOENT))
    }

    @Test func aProcessThatWithholdsItsMemoryMakesSandboxesAllTheSame() async {
        await #expect(processExitsWith: .success) {
            try SystemCall.withholdMemoryFromChildren()
            for _ in 0..<5 {
                let (output, outcome, _) = try SpawnTests.run("touch /etc/holdfast-no 2> /dev/null || echo no") {
                    $0.confinement.forbidsNewPrivileges = true
                    $0.confinement.sandbox = Sandbox(
                        [Sandbox.Place("/", .readOnly), Sandbox.Place("/var/tmp", .hidden)], hasNetwork: false)
                }
                #expect(outcome == .executed)
                #expect(output == "no\n")
            }
        }
    }
}
