import DeviceConfiguration

/// From the settings of ImunoEdge to a configuration: what becomes what, and what does not.
struct ImunoEdgeImport {
    struct Options {
        /// The `.env`, as it is to be called.
        var file: String
        /// Where ImunoEdge was started, and so its workers.
        var workingDirectory: String
        /// Who its workers run as; `nil` for the runtime's `default_user`.
        var user: String?
        /// The path of holdfast-imunoedge; `nil` when it is not where it should be.
        var launcher: String?
    }

    /// A variable that has become nothing else.
    struct Leftover: Equatable {
        var name: String
        var value: String
        /// What it was for, or why it stays behind.
        var note: String
    }

    /// A key of a table that stands once.
    struct Key: Equatable {
        /// "runtime.name".
        var path: String
        var value: TOMLValue
        /// The variable that it comes from.
        var origin: String
    }

    let options: Options
    private(set) var workers: [ImunoEdgeWorker] = []
    /// In the order of the file.
    private(set) var keys: [Key] = []
    /// The settings that have become something of ours.
    private(set) var imported: [String] = []
    private(set) var withoutCounterpart: [Leftover] = []
    private(set) var unknown: [Leftover] = []
    /// Variables that no worker may have.
    private(set) var refused: [Leftover] = []
    /// What ImunoEdge's workers found in their environment.
    private(set) var variables: [String: String] = [:]
    /// ImunoEdge's default, unless the file says otherwise.
    private(set) var maximumRestarts: Int64 = 10
    /// Between two looks of ImunoEdge's at a heartbeat.
    private(set) var lookInterval = Duration.seconds(5)
    /// What is right, and yet not as somebody may expect.
    private(set) var warnings: [ImportProblem] = []
    private(set) var problems: [ImportProblem] = []

    /// ImunoEdge takes a worker whose heartbeat is older for hung, when it looks.
    static let oldestHeartbeat = Duration.seconds(30)

    /// The longest silence that ImunoEdge can have let pass.
    var watchdog: Duration { Self.oldestHeartbeat + lookInterval }

    /// As a command has it: by its name where the workers find it by that, which outlives a move of the installation.
    var launcher: String {
        let name = WorkerLaunch.imunoEdgeLauncher
        guard let path = options.launcher, let slash = path.lastIndex(of: "/") else { return name }
        let searched = (variables["PATH"] ?? WorkerLaunch.defaultSearchPath).split(separator: ":")
        return searched.contains(path[..<slash]) ? name : path
    }

    init(_ source: DotEnvFile, _ options: Options) {
        self.options = options
        problems = source.problems
        var last: [String: DotEnvFile.Assignment] = [:]
        for assignment in source.assignments {
            if let earlier = last[assignment.name] {
                warn(earlier.line, "\(earlier.name) is set again on line \(assignment.line), and that counts")
            }
            last[assignment.name] = assignment
        }
        for assignment in source.assignments where last[assignment.name] == assignment { take(assignment) }
        problems.sort { ($0.line ?? 0) < ($1.line ?? 0) }
        if workers.isEmpty && problems.isEmpty {
            warn(nil, "there are no workers (ImunoEdge would run its demonstration, sensor_reader.py)")
        }
        if !workers.isEmpty && options.launcher == nil {
            warn(nil, "the program \(WorkerLaunch.imunoEdgeLauncher), which the workers need, is not beside this one")
        }
    }

    private mutating func take(_ assignment: DotEnvFile.Assignment) {
        guard let setting = ImunoEdgeSetting.named(assignment.name) else { return takeUnknown(assignment) }
        let value: ImunoEdgeSetting.Value
        do throws(ImunoEdgeMistake) {
            value = try setting.value(assignment.value)
        } catch {
            return report(assignment, "\(setting.name) \(error.text)")
        }
        if setting.concernsWorkers { variables[setting.name] = assignment.value }
        switch setting.counterpart {
        case .setting(let path):
            keys.append(Key(path: path, value: value.toml, origin: setting.name))
            if case (.name, .text(let name)) = (setting.kind, value), name != assignment.value.trimmed {
                warn(
                    assignment.line,
                    "\(setting.name) is \(assignment.value.trimmed.quotedForMessage), which is no name here: \(name) is"
                )
            }
        case .attempts: if case .count(let count) = value { maximumRestarts = count }
        case .lookInterval: if case .duration(let duration) = value { lookInterval = duration }
        case .workers: takeWorkers(assignment)
        case .none(let note):
            return withoutCounterpart.append(Leftover(name: setting.name, value: assignment.value, note: note))
        }
        imported.append(setting.name)
    }

    private mutating func takeUnknown(_ assignment: DotEnvFile.Assignment) {
        if assignment.name.hasPrefix(ImunoEdgeSetting.prefix) {
            let guess = NearestName.of(assignment.name, among: ImunoEdgeSetting.all.map(\.name))
            let note = guess.map { "did you mean \($0)?" } ?? "perhaps a worker's own"
            unknown.append(Leftover(name: assignment.name, value: assignment.value, note: note))
            warn(assignment.line, "\(assignment.name) is no setting of ImunoEdge (\(note))")
        }
        guard WorkerLaunch.mayBeSet(assignment.name) else {
            let note = "the runtime sets it for every worker"
            refused.append(Leftover(name: assignment.name, value: assignment.value, note: note))
            return warn(assignment.line, "\(assignment.name) is not given to the workers: \(note)")
        }
        variables[assignment.name] = assignment.value
    }

    private mutating func takeWorkers(_ assignment: DotEnvFile.Assignment) {
        let list = ImunoEdgeWorker.list(assignment.value)
        workers = list.workers
        for mistake in list.mistakes { report(assignment, "\(assignment.name): \(mistake.text)") }
        for worker in workers {
            if let former = worker.formerName {
                warn(assignment.line, "the worker \(former.quotedForMessage) is called \(worker.name) here")
            }
            if !worker.words.shellSyntax.isEmpty {
                warn(
                    assignment.line,
                    "the worker \(worker.name) gets \(worker.words.shellSyntax.joined(separator: " ").escapedForTerminal) "
                        + "as plain text, for neither ImunoEdge nor Holdfast runs commands by a shell")
            }
            if worker.words.hasQuoting {
                warn(
                    assignment.line,
                    "quotes and backslashes in the command of the worker \(worker.name) are taken as a shell would take "
                        + "them; ImunoEdge took them as plain text")
            }
        }
    }

    private mutating func report(_ assignment: DotEnvFile.Assignment, _ message: String) {
        problems.append(ImportProblem(line: assignment.line, message: message))
    }

    private mutating func warn(_ line: Int?, _ message: String) {
        warnings.append(ImportProblem(line: line, message: message))
    }
}
