import DeviceConfiguration
import LinuxSystem

/// How one of Holdfast's own processes is confined: a user of its own, no capability, and no more files and system calls
/// than it needs. What the machine lacks for that is left out and said, for a device without logs is worse off than one
/// whose log writer is confined a little less.
struct SystemConfinement {
    /// Who it runs as; `nil` for the runtime's own user.
    var identity: SpawnRequest.Identity? { user.identity }
    /// What an operator should know.
    let warnings: [String]

    private let user: User
    private let limits: [SpawnRequest.Limit]
    private let confinement: Confinement
    /// Kept open: what a process is started with.
    private let ruleset: SharedDescriptor?

    /// - Parameters:
    ///   - program: what it executes; mostly this very program under another name.
    ///   - files: what it opens besides the program and its libraries.
    ///   - sandbox: what it sees of the machine. With one, this is for one process only: each adds its scratch directories to
    ///     the rules.
    init(
        _ user: User, program: String = ownProgram, files: LandlockRules,
        denying families: Set<SystemCallFilter.Family>, limits: [ResourceLimit], sandbox: Sandbox? = nil
    ) {
        self.user = user
        // Whoever started the runtime may have allowed less already.
        self.limits = limits.map { $0.forSpawn.loweredToOurs() }
        var warnings = [user.warning].compactMap { $0 }
        var confinement = Confinement()
        confinement.forbidsNewPrivileges = true
        confinement.dropsCapabilities = true
        if SystemCallFilter.isAvailable {
            confinement.systemCalls = SystemCallFilter(denying: families)
        } else {
            warnings.append("this kernel filters no system calls (CONFIG_SECCOMP_FILTER): \(Self.lessConfined)")
        }
        ruleset = Self.ruleset(Self.adding(program, to: files), &warnings)
        confinement.sandbox = sandbox
        confinement.allowsScratch = sandbox != nil
        confinement.ruleset = ruleset?.rawValue
        self.confinement = confinement
        self.warnings = warnings
    }

    func apply(to request: inout SpawnRequest) {
        request.identity = identity
        request.limits += limits
        request.confinement = confinement
    }

    // MARK: User

    /// A user of the machine for a process, as far as there is one.
    struct User {
        /// `nil` for the runtime's own user.
        var identity: SpawnRequest.Identity?
        var warning: String?

        /// Who its files have to belong to; `nil` when nothing can be given away. Root without capabilities has no more right
        /// to others' files than anybody.
        var owner: SpawnRequest.Identity? {
            SystemCall.effectiveUserID() == 0 ? identity ?? SpawnRequest.Identity(uid: 0, gid: 0) : nil
        }
    }

    /// Runs what has no user of its own. Workers may run as that one too, and then reach each other.
    private static let fallbackUser = "nobody"

    /// Looks the user up, who has the name of the process.
    static func user(named name: String, executing program: String = ownProgram) -> User {
        // Without root everything runs as one user, which the runtime says once for all.
        guard SystemCall.effectiveUserID() == 0 else { return User() }
        var user = User()
        var account = try? AccountDatabase.user(named: name)
        if account == nil {
            account = try? AccountDatabase.user(named: fallbackUser)
            user.warning =
                "there is no user \(name): it runs as \(account?.name ?? "root, though without capabilities"), whose other "
                + "processes can interfere with it; systemd-sysusers creates the user"
        }
        guard let account else { return user }
        guard mayExecute(account, program) else {
            user.warning =
                "\(account.name) may not execute \(program == ownProgram ? "this program" : program), so \(name) runs as root, though without capabilities: "
                + "make the file executable for all (chmod o+rx)"
            return user
        }
        user.identity = SpawnRequest.Identity(uid: account.uid, gid: account.gid)
        return user
    }

    /// By the program's own mode. Who starts it through /proc/self/exe need not be able to reach it by its path.
    private static func mayExecute(_ account: UserAccount, _ path: String) -> Bool {
        guard let program = try? SystemCall.status(of: path) else { return false }
        let right: UInt32 = program.uid == account.uid ? 0o100 : program.gid == account.gid ? 0o010 : 0o001
        return program.mode & right != 0
    }

    // MARK: Files

    static let ownProgram = "/proc/self/exe"
    private static let lessConfined = "Holdfast's own processes are confined a little less"
    /// Where the C library's loader finds libraries (ld.so(8)).
    private static let libraries = [
        "/etc/ld.so.cache", "/etc/ld.so.preload", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib",
    ]

    /// What it takes to execute the program, and to load libraries later.
    private static func adding(_ program: String, to files: LandlockRules) -> LandlockRules {
        var rules = files
        rules.allow(program, [.read, .execute])
        if let interpreter = SystemCall.programInterpreter { rules.allow(interpreter, [.read, .execute]) }
        for path in libraries { rules.allow(path, .read) }
        // Libraries that are shipped beside the program ($ORIGIN).
        if let path = try? SystemCall.executablePath(), let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            rules.allow(String(path[..<slash]), .read)
        }
        rules.allow("/dev/null", [.read, .write])
        // For the seed of hash tables (jansson).
        rules.allow("/dev/urandom", .read)
        return rules
    }

    private static func ruleset(_ rules: LandlockRules, _ warnings: inout [String]) -> SharedDescriptor? {
        do throws(SystemError) {
            if let ruleset = try rules.ruleset() { return ruleset }
            warnings.append(
                "this kernel has no Landlock, or it is switched off (CONFIG_SECURITY_LANDLOCK, lsm=): \(lessConfined)")
        } catch {
            warnings.append("no Landlock rules could be made (\(error)): \(lessConfined)")
        }
        return nil
    }
}
