import CLinux
import Glibc

/// What a process is started with. Everything not named here is reset: signals, session, descriptors, capabilities.
package struct SpawnRequest: Sendable {
    /// Where the two standard outputs go.
    package enum Output: Sendable {
        /// /dev/null.
        case discard
        /// A FIFO that the child opens itself, for reading and writing: it then never gets SIGPIPE.
        case fifo(path: String)
        /// Descriptors of ours.
        case descriptors(output: Int32, error: Int32)
    }

    package struct Identity: Sendable, Hashable {
        package var uid: UInt32
        package var gid: UInt32
        package var supplementaryGroups: [UInt32]

        package init(uid: UInt32, gid: UInt32, supplementaryGroups: [UInt32] = []) {
            self.uid = uid
            self.gid = gid
            self.supplementaryGroups = supplementaryGroups
        }
    }

    package struct Limit: Sendable, Hashable {
        /// RLIMIT_* (setrlimit(2)).
        package var resource: Int32
        package var soft: UInt64
        package var hard: UInt64

        package init(resource: Int32, soft: UInt64, hard: UInt64) {
            self.resource = resource
            self.soft = soft
            self.hard = hard
        }

        /// The same, but not above this process's own hard limit, which needs privileges to raise.
        package func loweredToOurs() -> Limit {
            var (soft, hard): (UInt64, UInt64) = (0, 0)
            guard hf_get_limit(resource, &soft, &hard) == 0 else { return self }
            return Limit(resource: resource, soft: min(self.soft, hard), hard: min(self.hard, hard))
        }
    }

    /// The path that is executed.
    package var executable: String
    /// With the zeroth: the name that the program is told to have.
    package var arguments: [String]
    /// "NAME=value" each; nothing else is inherited.
    package var environment: [String]
    package var workingDirectory: String?
    package var output: Output = .discard
    /// Descriptors of ours by the number that the child gets them at (3 and up).
    package var inherited: [(source: Int32, target: Int32)] = []
    package var limits: [Limit] = []
    package var oomScoreAdjustment: Int?
    package var fileModeMask: UInt32?
    package var niceness: Int?
    package var identity: Identity?
    package var confinement = Confinement()
    /// A cgroup2 directory to be born in.
    package var cgroup: Int32?

    package init(executable: String, arguments: [String], environment: [String] = []) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
    }

    /// The path of a command: one with a slash is taken as it is, any other is searched in `path` ("/bin:/usr/bin"). The
    /// first file found is taken even when it is not executable, and a path without a file when there is none, so that
    /// the exec says what is wrong; never a bare name, which would mean the working directory.
    package static func resolve(_ command: String, path: String) -> String {
        guard !command.contains("/") else { return command }
        let candidates = path.split(separator: ":").map { "\($0)/\(command)" }
        // A directory is executable too.
        let files = candidates.filter { (try? SystemCall.status(of: $0))?.kind == .regular }
        return files.first { access($0, X_OK) == 0 } ?? files.first ?? candidates.first ?? "/\(command)"
    }

    /// EINVAL for what the child side relies on: a program with a name, one inherited descriptor for each number above the
    /// standard three, and no_new_privs with what needs it.
    func validate() throws(SystemError) {
        let targets = inherited.map(\.target)
        guard !executable.isEmpty, !arguments.isEmpty, targets.allSatisfy({ $0 >= 3 && $0 < 1024 }),
            Set(targets).count == targets.count, confinement.isConsistent
        else { throw SystemError(call: "spawn", errno: EINVAL, subject: executable) }
    }
}
