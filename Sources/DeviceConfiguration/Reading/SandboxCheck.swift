import LinuxSystem

extension WorkerSandbox {
    init(_ table: TableReader) {
        self.init()
        forbidsNewPrivileges = table.value(SandboxSchema.noNewPrivileges)
        readOnlyPaths = table.value(SandboxSchema.readOnlyPaths)
        writablePaths = table.value(SandboxSchema.writablePaths)
        hiddenPaths = table.value(SandboxSchema.hiddenPaths)
        hasPrivateTemporaryFolders = table.value(SandboxSchema.privateTemporaryFolders)
        hasNetwork = table.value(SandboxSchema.network)
    }

    /// The path lists with their keys.
    var lists: [(key: String, paths: [String])] {
        [
            (SandboxSchema.readOnlyPaths.setting.name, readOnlyPaths),
            (SandboxSchema.writablePaths.setting.name, writablePaths),
            (SandboxSchema.hiddenPaths.setting.name, hiddenPaths),
        ]
    }
}

/// Reports what of a sandbox contradicts itself, or leaves a worker without what it needs.
struct SandboxCheck {
    let sandbox: WorkerSandbox
    /// `[worker.sandbox]`.
    let table: TableReader
    /// What messages call it: "worker.camera".
    let path: String
    let problems: ProblemCollector

    func run(launch: WorkerLaunch, runtimeDirectory: String) {
        reportClashes()
        guard !sandbox.hiddenPaths.contains("/") else {
            return add(SandboxSchema.hiddenPaths.setting.name, "\"/\" is everything, the worker's own program included")
        }
        reportCovered()
        reportNeeded(launch, runtimeDirectory)
    }

    private func add(_ key: String, _ message: String, allowed: String? = nil) {
        problems.add(table.place(of: key), "\(path).sandbox.\(key)", message, allowed: allowed)
    }

    private static func holds(_ outer: String, _ inner: String) -> Bool {
        outer == "/" || inner == outer || inner.hasPrefix(outer + "/")
    }

    /// What leaves nothing of a path, and how that is said.
    private struct Cover {
        var key: String
        var path: String
        var words: String
    }

    private func covers(of path: String) -> [Cover] {
        let hidden = sandbox.hiddenPaths.filter { Self.holds($0, path) }
            .map { Cover(key: SandboxSchema.hiddenPaths.setting.name, path: $0, words: "\($0.quoted) is hidden") }
        guard sandbox.hasPrivateTemporaryFolders else { return hidden }
        let replaced = WorkerSandbox.temporaryFolders.filter { Self.holds($0, path) }.map {
            Cover(
                key: SandboxSchema.privateTemporaryFolders.setting.name, path: $0,
                words: "private_tmp replaces \($0.quoted)")
        }
        return hidden + replaced
    }

    private func reportClashes() {
        var keys: [String: String] = [:]
        for (key, paths) in sandbox.lists {
            for path in paths {
                if let earlier = keys[path] {
                    add(key, "\(path.quoted) stands in \(earlier) \(earlier == key ? "twice" : "already")")
                } else {
                    keys[path] = key
                }
            }
        }
        for path in sandbox.writablePaths where !sandbox.readOnlyPaths.contains(where: { Self.holds($0, path) }) {
            add(
                SandboxSchema.writablePaths.setting.name, "\(path.quoted) is not below any of read_only_paths",
                allowed: "paths that would be read-only otherwise")
        }
    }

    private func reportCovered() {
        let hidden = SandboxSchema.hiddenPaths.setting.name
        for (key, paths) in sandbox.lists {
            for path in paths {
                // The same path in two lists is a clash, told already.
                for cover in covers(of: path) where cover.path != path || cover.key != hidden {
                    add(key, "nothing is left at \(path.quoted), since \(cover.words)")
                }
            }
        }
    }

    /// What the worker cannot do without: its notify socket, its working directory, its program.
    private func reportNeeded(_ launch: WorkerLaunch, _ runtimeDirectory: String) {
        let program = launch.command.first.flatMap { $0.hasPrefix("/") ? $0 : nil }
        let needed = [
            ("its notify socket is in runtime_dir,", runtimeDirectory),
            ("its working_directory is", launch.workingDirectory), ("its program is", program),
        ]
        for (words, path) in needed {
            guard let path, let cover = covers(of: path).first else { continue }
            add(cover.key, "\(words) \(path.quoted), but \(cover.words)")
        }
    }
}
