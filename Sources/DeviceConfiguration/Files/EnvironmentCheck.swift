import LinuxSystem

/// Asks this machine for what a configuration names: programs, working directories, users and groups.
struct EnvironmentCheck {
    private let problems: ProblemCollector
    /// A thousand workers may share a program and a directory.
    private var files: [String: Result<FileStatus, SystemError>] = [:]
    private var users: [String: Lookup<UserAccount>] = [:]
    private var groups: [String: Lookup<GroupAccount>] = [:]
    private var memberships: [Membership: [UInt32]] = [:]

    private struct Membership: Hashable {
        var user: String
        var primary: UInt32
    }

    private enum Lookup<Account> {
        case found(Account)
        case missing(reason: String)

        var account: Account? { if case .found(let account) = self { account } else { nil } }
    }

    init(_ problems: ProblemCollector) {
        self.problems = problems
    }

    /// Reports what is missing, also when the configuration has problems of its own.
    mutating func inspect(_ draft: ConfigurationDraft) {
        for worker in draft.workers {
            inspectProgram(worker)
            for probe in worker.probes {
                guard let program = probe.probe?.command?.first else { continue }
                inspect(
                    program, in: worker.launch.workingDirectory, searchPath: worker.launch.searchPath,
                    probe.commandPlace, "\(probe.path).command")
            }
            inspectDirectory(worker)
            inspectSandbox(worker)
            inspectLimits(worker)
            inspectAccounts(worker, draft)
        }
        inspectCriticalCommand(draft)
        for plugin in draft.plugins { inspectFile(of: plugin) }
        // The default group may well be missing: then only root reads.
        if let place = draft.controlGroupPlace, let name = draft.configuration?.runtime.controlGroup,
            case .missing(let reason) = group(name)
        {
            add(place, "runtime.control_group", reason)
        }
    }

    /// The configuration with the numbers of its users and groups.
    mutating func resolved(_ configuration: Configuration) -> Configuration {
        var configuration = configuration
        configuration.runtime.controlGroupID = group(configuration.runtime.controlGroup).account?.gid
        if let account = user(configuration.runtime.defaultUser).account {
            configuration.preservation.commandIdentity = SpawnRequest.Identity(
                uid: account.uid, gid: account.gid,
                supplementaryGroups: memberships(ofUser: account.name, primary: account.gid).sorted())
        }
        configuration.launches = configuration.launches.mapValues {
            var launch = $0
            launch.identity = identity(of: launch)
            return launch
        }
        return configuration
    }

    private func add(_ place: SourcePlace, _ key: String, _ message: String, allowed: String? = nil) {
        problems.add(
            ConfigurationProblem(
                kind: .environment, at: place, key: key, message: message, allowed: allowed))
    }

    // MARK: Files

    private mutating func status(of path: String) throws(SystemError) -> FileStatus {
        if let known = files[path] { return try known.get() }
        let result: Result<FileStatus, SystemError>
        do throws(SystemError) {
            result = .success(try SystemCall.status(of: path))
        } catch {
            result = .failure(error)
        }
        files[path] = result
        return try result.get()
    }

    private mutating func inspectProgram(_ worker: WorkerDraft) {
        inspect(worker.launch.command.first, of: worker)
        // Its argument is the program that this becomes.
        if worker.launch.command.first.map(EnvironmentCheck.isLauncher) == true {
            inspect(worker.launch.command.dropFirst().first, of: worker)
        }
    }

    private static func isLauncher(_ program: String) -> Bool {
        program.split(separator: "/").last.map(String.init) == WorkerLaunch.imunoEdgeLauncher
    }

    private mutating func inspect(_ program: String?, of worker: WorkerDraft) {
        guard let program else { return }
        inspect(
            program, in: worker.launch.workingDirectory, searchPath: worker.launch.searchPath,
            worker.table.place(of: "command"), "\(worker.path).command")
    }

    private mutating func inspectCriticalCommand(_ draft: ConfigurationDraft) {
        guard let command = draft.criticalCommand else { return }
        inspect(
            command.program, in: "/", searchPath: WorkerLaunch.defaultSearchPath, command.place,
            "preservation.critical_command")
    }

    /// What it must be besides, whoever carries out a command looks at.
    private mutating func inspectFile(of plugin: PluginDraft) {
        guard let file = plugin.plugin?.file else { return }
        do throws(SystemError) {
            guard try status(of: file).kind != .regular else { return }
            add(plugin.filePlace, "\(plugin.path).file", "\(file.quoted) is not a regular file")
        } catch {
            add(
                plugin.filePlace, "\(plugin.path).file", "\(file.quoted) \(EnvironmentCheck.words(error))",
                allowed: "an existing file")
        }
    }

    private mutating func inspect(
        _ program: String, in directory: String, searchPath: String, _ place: SourcePlace, _ key: String
    ) {
        guard program.contains("/") else {
            let candidates = searchPath.split(separator: ":").map { "\($0)/\(program)" }
            if !candidates.contains(where: { defect(ofProgram: $0) == nil }) {
                add(
                    place, key, "there is no program \(program.quoted) in \(searchPath.quoted)",
                    allowed: "an executable file in its PATH, or a path")
            }
            return
        }
        // Relative to the working directory, as execve(2) will take it.
        let path = program.hasPrefix("/") ? program : directory + (directory.hasSuffix("/") ? "" : "/") + program
        if let defect = defect(ofProgram: path) {
            add(place, key, "\(path.quoted) \(defect)", allowed: "an executable file")
        }
    }

    /// What keeps a file from being executed, as far as everyone may know; `nil` when nothing does.
    private mutating func defect(ofProgram path: String) -> String? {
        do throws(SystemError) {
            let status = try status(of: path)
            if status.kind == .directory { return "is a directory" }
            if status.kind != .regular { return "is not a regular file" }
            return status.mode & 0o111 == 0 ? "is not executable" : nil
        } catch {
            return EnvironmentCheck.words(error)
        }
    }

    private mutating func inspectDirectory(_ worker: WorkerDraft) {
        let path = worker.launch.workingDirectory
        let place = worker.table.place(of: "working_directory")
        let key = "\(worker.path).working_directory"
        do throws(SystemError) {
            let status = try status(of: path)
            if status.kind != .directory { add(place, key, "\(path.quoted) is not a directory") }
        } catch {
            add(place, key, "\(path.quoted) \(EnvironmentCheck.words(error))", allowed: "an existing directory")
        }
    }

    /// A sandbox is made as it is asked for or not at all: a path that is not there may be one that was misspelt.
    private mutating func inspectSandbox(_ worker: WorkerDraft) {
        guard worker.launch.sandbox != WorkerSandbox() else { return }
        let table = worker.table.subtable(SandboxSchema.table)
        for (key, paths) in worker.launch.sandbox.lists {
            for path in paths {
                do throws(SystemError) {
                    _ = try status(of: path)
                } catch  where error.isNotFound {
                    add(table.place(of: key), "\(worker.path).sandbox.\(key)", "\(path.quoted) does not exist")
                } catch {
                    // The runtime may see what whoever checks may not.
                }
            }
        }
    }

    /// A limit that nobody enforces must not look like one. Whether the controllers reach the workers' cgroups, only the runtime
    /// knows.
    private mutating func inspectLimits(_ worker: WorkerDraft) {
        let needed = worker.launch.groupLimits.needed
        guard !needed.isEmpty, let controllers = Cgroup.machineControllers else { return }
        for limit in needed where !controllers.contains(limit.controller) {
            let place = worker.limitTable.has(limit.key) ? worker.limitTable.place(of: limit.key) : worker.place
            add(
                place, "\(worker.path).limits.\(limit.key)",
                "is not enforced: this machine's cgroup2 has no \(limit.controller) controller")
        }
    }

    private static func words(_ error: SystemError) -> String {
        error.isNotFound ? "does not exist" : "cannot be examined: \(error.message)"
    }

    // MARK: Users and groups

    private mutating func inspectAccounts(_ worker: WorkerDraft, _ draft: ConfigurationDraft) {
        if case .missing(let reason) = user(worker.launch.user) {
            if worker.table.has("user") {
                add(worker.table.place(of: "user"), "\(worker.path).user", reason)
            } else if let place = draft.defaultUserPlace {
                add(place, "runtime.default_user", reason)
            } else {
                add(worker.place, "\(worker.path).user", reason, allowed: "set user, or default_user in [runtime]")
            }
        }
        if let name = worker.launch.group, case .missing(let reason) = group(name) {
            add(worker.table.place(of: "group"), "\(worker.path).group", reason)
        }
        for name in worker.launch.supplementaryGroups {
            guard case .missing(let reason) = group(name) else { continue }
            add(worker.table.place(of: "supplementary_groups"), "\(worker.path).supplementary_groups", reason)
        }
    }

    /// `nil` when the machine does not know one of the names.
    private mutating func identity(of launch: WorkerLaunch) -> SpawnRequest.Identity? {
        guard let account = user(launch.user).account else { return nil }
        var gid = account.gid
        if let name = launch.group {
            guard let group = group(name).account else { return nil }
            gid = group.gid
        }
        var supplementary = Set(memberships(ofUser: account.name, primary: gid))
        for name in launch.supplementaryGroups {
            guard let group = group(name).account else { return nil }
            supplementary.insert(group.gid)
        }
        return SpawnRequest.Identity(uid: account.uid, gid: gid, supplementaryGroups: supplementary.sorted())
    }

    private mutating func user(_ name: String) -> Lookup<UserAccount> {
        if let known = users[name] { return known }
        let lookup: Lookup<UserAccount>
        do throws(SystemError) {
            let account = try AccountDatabase.user(named: name)
            lookup = account.map { .found($0) } ?? .missing(reason: "there is no user \(name.quoted)")
        } catch {
            lookup = .missing(reason: "the user \(name.quoted) cannot be looked up: \(error.message)")
        }
        users[name] = lookup
        return lookup
    }

    private mutating func group(_ name: String) -> Lookup<GroupAccount> {
        if let known = groups[name] { return known }
        let lookup: Lookup<GroupAccount>
        do throws(SystemError) {
            let account = try AccountDatabase.group(named: name)
            lookup = account.map { .found($0) } ?? .missing(reason: "there is no group \(name.quoted)")
        } catch {
            lookup = .missing(reason: "the group \(name.quoted) cannot be looked up: \(error.message)")
        }
        groups[name] = lookup
        return lookup
    }

    /// The groups that a process of the user gets besides the named ones, as initgroups(3) would give.
    private mutating func memberships(ofUser name: String, primary: UInt32) -> [UInt32] {
        let key = Membership(user: name, primary: primary)
        if let known = memberships[key] { return known }
        let groups = AccountDatabase.groups(ofUser: name, primary: primary)
        memberships[key] = groups
        return groups
    }
}
