import ControlProtocol
import Foundation
import Glibc
import LinuxSystem
import Testing

/// `[worker.sandbox]` in the real `holdfastd`.
@Suite(.timeLimit(.minutes(2))) struct SandboxTests {
    private static let isRoot = getuid() == 0
    /// Whether an ordinary user may make namespaces here, or root itself.
    private static let canBeMade =
        (try? Process.run(
            URL(filePath: "/bin/sh"),
            arguments: ["-c", "unshare --user --map-current-user --mount --net true 2> /dev/null"]
        ).succeeded) ?? false
    /// Becomes nobody.
    private static let asNobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    /// Says what it sees, and stays.
    private static let observer = """
        try() { if (eval "$*") 2> /dev/null; then echo "yes $*"; else echo "no $*"; fi; }
        try touch DIRECTORY/data/in; try touch DIRECTORY/data/open/in; try cat DIRECTORY/data/file
        try cat DIRECTORY/secret/file; sh -c '(sh -c "cat DIRECTORY/secret/file 2> /dev/null || echo none") & wait'
        ls -A /tmp | head -n 3; echo kept > /tmp/NAME; cat /tmp/NAME
        tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '
        grep NoNewPrivs /proc/self/status | tr '\\t' ' '
        echo end
        exec sleep 1000
        """

    private static func worker(in directory: URL, _ sandbox: String, user: String = "") -> String {
        let script = observer.replacing("DIRECTORY", with: directory.path)
            .replacing("NAME", with: directory.lastPathComponent)
        return """
            [[worker]]
            name = "observer"
            command = ["/bin/sh", "-c", '''
            \(script)
            ''']
            \(user)
            [worker.sandbox]
            \(sandbox.replacing("DIRECTORY", with: directory.path))
            """
    }

    private static let everything = """
        no_new_privs = true
        read_only_paths = ["DIRECTORY/data"]
        writable_paths = ["DIRECTORY/data/open"]
        hidden_paths = ["DIRECTORY/secret"]
        private_tmp = true
        network = false
        """

    /// What the observer says in such a sandbox.
    private static func expected(_ directory: URL) -> [String] {
        [
            "no touch \(directory.path)/data/in", "yes touch \(directory.path)/data/open/in", "word",
            "yes cat \(directory.path)/data/file", "no cat \(directory.path)/secret/file", "none", "kept", "lo",
            "NoNewPrivs: 1",
        ]
    }

    /// A daemon whose folder is not in /tmp, with what the observer looks for, open to everybody.
    private func makeDaemon(
        _ sandbox: String = everything, user: String = "", faults: String = "",
        launcher: [String] = ["/usr/bin/env"]
    ) throws -> (daemon: Daemon, folder: URL) {
        let parent = URL(filePath: "/dev/shm")
        let folder = parent.appending(path: "holdfast-\(UUID().uuidString.prefix(8))")
        for name in ["data/open", "secret"] {
            try FileManager.default.createDirectory(
                at: folder.appending(path: name), withIntermediateDirectories: true)
        }
        for name in ["data/file", "secret/file"] {
            try "word\n".write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
        }
        for name in ["", "data", "data/open", "secret"] { chmod(folder.appending(path: name).path, 0o777) }
        let daemon = try Daemon(
            Self.worker(in: folder, sandbox, user: user), faults: faults, launcher: launcher,
            containment: launcher.count > 1 ? .session : .standard, permissions: 0o777, parent: parent)
        return (daemon, folder)
    }

    private func remove(_ folder: URL) { try? FileManager.default.removeItem(at: folder) }

    private static func namespace(_ kind: String, of pid: Int32) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/\(kind)")
    }

    @Test(.enabled(if: isRoot || canBeMade, "no namespaces can be made here"), arguments: ["", "user = \"root\""])
    func `a worker sees what its sandbox leaves, and so does whatever it starts`(user: String) throws {
        if !Self.isRoot && !user.isEmpty { return }
        let (daemon, folder) = try makeDaemon(user: user)
        defer { remove(folder) }
        #expect(try daemon.output(of: "observer", upTo: "end") == Self.expected(folder))
        let pid = try daemon.pid("observer")
        for kind in ["mnt", "net"] {
            #expect(try Self.namespace(kind, of: pid) != Self.namespace(kind, of: getpid()))
        }
        // Nothing of it is seen outside.
        #expect(try !String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8).contains(folder.path))
        #expect(!FileManager.default.fileExists(atPath: "/tmp/\(folder.lastPathComponent)"))
    }

    @Test(.enabled(if: isRoot || canBeMade, "no namespaces can be made here"))
    func `without a sandbox, or with no_new_privs alone, a worker is in nobody's namespaces but the machine's`() throws
    {
        let (daemon, folder) = try makeDaemon("no_new_privs = true")
        defer { remove(folder) }
        let lines = try daemon.output(of: "observer", upTo: "end")
        #expect(lines.contains("yes touch \(folder.path)/data/in"))
        #expect(lines.contains("yes cat \(folder.path)/secret/file"))
        #expect(lines.last == "NoNewPrivs: 1")
        let pid = try daemon.pid("observer")
        for kind in ["mnt", "net", "user"] {
            #expect(try Self.namespace(kind, of: pid) == Self.namespace(kind, of: getpid()))
        }
        unlink("/tmp/\(folder.lastPathComponent)")
        try daemon.configure(Self.worker(in: folder, ""))
        try daemon.call(.reload)
        try daemon.await("observer", "ready") { $0.pid != Int(pid) }
        let status = try String(contentsOfFile: "/proc/\(daemon.pid("observer"))/status", encoding: .utf8)
        #expect(status.contains("NoNewPrivs:\t0"))
        unlink("/tmp/\(folder.lastPathComponent)")
    }

    @Test(.enabled(if: isRoot || canBeMade, "no namespaces can be made here"))
    func `another sandbox is another process, the same one is not`() throws {
        let (daemon, folder) = try makeDaemon()
        defer { remove(folder) }
        let first = try #require(try daemon.await("observer", "ready").pid)
        try daemon.configure(Self.worker(in: folder, Self.everything + "\n# a remark"))
        try daemon.call(.reload)
        #expect(try daemon.worker("observer").pid == first)
        try daemon.output(of: "observer", upTo: "end")
        let other = Self.everything.replacing("\"DIRECTORY/secret\"", with: "")
        try daemon.configure(Self.worker(in: folder, other))
        try daemon.call(.reload)
        try daemon.await("observer", "ready") { $0.pid != first }
        try daemon.output(of: "observer", upTo: "yes cat \(folder.path)/secret/file")
    }

    @Test(.enabled(if: isRoot || canBeMade, "no namespaces can be made here"))
    func `a sandbox outlives the daemon, and the next one makes it again`() throws {
        let (daemon, folder) = try makeDaemon()
        defer { remove(folder) }
        let pid = try #require(try daemon.await("observer", "ready").pid)
        let namespace = try Self.namespace("mnt", of: Int32(pid))
        try daemon.output(of: "observer", upTo: "end")
        try daemon.replace()
        #expect(try daemon.await("observer", "ready").pid == pid)
        #expect(try Self.namespace("mnt", of: Int32(pid)) == namespace)
        kill(Int32(pid), SIGKILL)
        let next = try #require(try daemon.await("observer", "ready") { $0.pid != pid }.pid)
        #expect(try Self.namespace("mnt", of: Int32(next)) != Self.namespace("mnt", of: getpid()))
        #expect(try daemon.output(of: "observer", upTo: "end") == Self.expected(folder))
    }

    @Test(.enabled(if: isRoot || canBeMade, "no namespaces can be made here"))
    func `a path that is not there keeps the worker from starting, and says so`() throws {
        let (daemon, folder) = try makeDaemon("hidden_paths = [\"DIRECTORY/missing\"]")
        defer { remove(folder) }
        let reason = "its sandbox: hide \(folder.path)/missing: No such file or directory"
        try daemon.await("observer", "backing-off") { $0.lastExit?.message == reason }
        #expect(daemon.diagnostics.contains("observer.sandbox.hidden_paths: \"\(folder.path)/missing\" does not exist"))
        try FileManager.default.createDirectory(
            at: folder.appending(path: "missing"), withIntermediateDirectories: false)
        try daemon.await("observer", "ready")
    }

    @Test(.enabled(if: isRoot || canBeMade, "no namespaces can be made here"))
    func `a kernel that cannot close the way out is a warning, and the sandbox is made all the same`() throws {
        let (daemon, folder) = try makeDaemon(faults: "landlock_create_ruleset=95")
        defer { remove(folder) }
        #expect(try daemon.output(of: "observer", upTo: "end") == Self.expected(folder))
        #expect(try daemon.status().runtime.warnings.count { $0.contains("Landlock of version 2") } == 1)
        try daemon.configure(Self.worker(in: folder, "no_new_privs = true"))
        try daemon.call(.reload)
        #expect(try daemon.status().runtime.warnings.allSatisfy { !$0.contains("Landlock of version 2") })
        try daemon.output(of: "observer", upTo: "yes cat \(folder.path)/secret/file")
        unlink("/tmp/\(folder.lastPathComponent)")
    }

    @Test(.enabled(if: isRoot && canBeMade, "it takes root to become nobody, and namespaces for all"))
    func `a daemon without privileges makes it in a user namespace`() throws {
        let (daemon, folder) = try makeDaemon(launcher: Self.asNobody)
        defer { remove(folder) }
        #expect(try daemon.output(of: "observer", upTo: "end") == Self.expected(folder))
        let pid = try daemon.pid("observer")
        #expect(try Self.namespace("user", of: pid) != Self.namespace("user", of: getpid()))
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        #expect(status.contains("CapEff:\t0000000000000000"))
        #expect(status.contains("Uid:\t65534\t65534\t65534\t65534"))
    }
}

extension Process {
    fileprivate var succeeded: Bool {
        waitUntilExit()
        return terminationStatus == 0
    }
}
