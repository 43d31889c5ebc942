import LinuxSystem

extension Configuration {
    /// Where the configuration is when nobody says otherwise.
    package static let defaultPath = "/etc/holdfast/holdfast.toml"

    /// A file of more bytes is no configuration.
    package static let largestFile = 1 << 20

    /// Reads files with their `conf.d/*.toml` and the bundles' parts of the tree, judges them, and asks this machine for the
    /// programs, directories, users and groups that they name. Reports every problem at once and never throws.
    ///
    /// A launch whose user or group the machine does not know has no `identity`; that is an environment problem, and the
    /// spawn must fail visibly.
    ///
    /// - Parameters:
    ///   - variables: the environment variables that override settings.
    ///   - explains: whether the report says where every value comes from. It costs many times what the values do.
    ///   - policy: what becomes of bundles that are wrong.
    package static func load(
        paths: [String] = [defaultPath], variables: [ConfigurationVariable] = ConfigurationVariable.ofProcess(),
        explains: Bool = false, bundles policy: BundlePolicy = .judged
    ) -> ConfigurationReport {
        let files = ConfigurationFiles(paths: paths)
        return ConfigurationLoad(
            files.sources, order: files.order, problems: files.problems, variables: variables, explains: explains
        ).report(policy)
    }

    /// As `load`, with files that were read before: only the bundles are looked at again. A file that is being edited has no
    /// say in it, and a bundle that cannot be used any more stays as it was.
    /// - Parameters:
    ///   - former: a configuration that was valid.
    ///   - changing: the bundles that are to be taken as they are now, or left out.
    package static func load(
        keeping former: ConfigurationReport, changing: Set<String>,
        variables: [ConfigurationVariable] = ConfigurationVariable.ofProcess()
    ) -> ConfigurationReport {
        ConfigurationLoad(
            former.own, order: former.own.map(\.file), problems: [], variables: variables, explains: false,
            former: former.bundles.filter { !changing.contains($0.name) }
        ).report(.leftOut)
    }
}

/// One load of a configuration.
struct ConfigurationLoad {
    private let own: [ParsedSource]
    /// Every file in the order in which they count, those that cannot be read included.
    private let order: [String]
    private let fileProblems: [ConfigurationProblem]
    private let variables: [ConfigurationVariable]
    private let explains: Bool
    /// What to take instead of a bundle that cannot be used.
    private let former: [BundleText]

    /// So many are left out one after the other, each of which may have been all that was wrong with the others; then all that
    /// have problems are.
    private static let mostSingleSteps = 16

    init(
        _ own: [ConfigurationSource], order: [String], problems: [ConfigurationProblem],
        variables: [ConfigurationVariable], explains: Bool, former: [BundleText] = []
    ) {
        self.own = own.map { ParsedSource($0) }
        self.order = order
        fileProblems = problems
        self.variables = variables
        self.explains = explains
        self.former = former
    }

    func report(_ policy: BundlePolicy) -> ConfigurationReport {
        guard policy != .ignored else { return read(with: []).report(leftOut: []) }
        let folder = BundleFolder.path(in: ConfigurationDraft.stateDirectory(own, variables))
        let reader = BundleSourceReader(folder)
        var bundles: [BundleSource] = []
        var leftOut: [LeftOutBundle] = []
        // What is wrong with bundles that stay as they were.
        var stale: [ConfigurationProblem] = []
        for source in reader.sources {
            if source.source != nil {
                bundles.append(source)
            } else if let former = former(of: source) {
                bundles.append(former)
                stale += [source.problem].compactMap { $0 }
            } else {
                leftOut.append(LeftOutBundle(source, [source.problem].compactMap { $0 }))
            }
        }
        if let problem = reader.problem {
            leftOut.append(LeftOutBundle(name: folder, version: nil, problems: [problem]))
        }
        guard policy == .leftOut else {
            return read(with: bundles, besides: leftOut.flatMap(\.problems)).report(leftOut: [])
        }
        var steps = 0
        while true {
            let reading = read(with: bundles, isComplete: leftOut.isEmpty)
            if reading.problems.isEmpty || bundles.isEmpty { return reading.report(leftOut: leftOut, stale: stale) }
            let problems = Dictionary(grouping: reading.problems.problems, by: \.origin)
            var wrong = bundles.filter { problems[.file($0.file)] != nil }
            if steps < Self.mostSingleSteps { wrong = Array(wrong.prefix(1)) }
            steps += 1
            // Who it was cannot be told.
            let everybody = wrong.isEmpty
            if everybody { wrong = bundles }
            for bundle in wrong {
                guard let index = bundles.firstIndex(where: { $0.name == bundle.name }) else { continue }
                let found = everybody ? reading.problems.problems : problems[.file(bundle.file)] ?? []
                if let former = former(of: bundle) {
                    bundles[index] = former
                    stale += found
                } else {
                    bundles.remove(at: index)
                    leftOut.append(LeftOutBundle(bundle, found))
                }
            }
        }
    }

    /// What the bundle was before; `nil` when there is nothing else than what it is now.
    private func former(of bundle: BundleSource) -> BundleSource? {
        guard let text = former.first(where: { $0.name == bundle.name }), text.source != bundle.source?.source else {
            return nil
        }
        return BundleSource(
            name: bundle.name, file: bundle.file, version: text.version,
            source: ParsedSource(text.source, bundle: bundle.name))
    }

    /// What one reading has come to.
    private struct Reading {
        let draft: ConfigurationDraft
        let problems: ProblemCollector
        let environment: ProblemCollector
        let own: [ConfigurationSource]
        let bundles: [BundleText]
        let files: [String]
        let recorder: EffectiveRecorder?

        /// Asks the machine, which is done once.
        func report(leftOut: [LeftOutBundle], stale: [ConfigurationProblem] = []) -> ConfigurationReport {
            var check = EnvironmentCheck(environment)
            check.inspect(draft)
            var configuration = draft.configuration
            if let complete = configuration { configuration = check.resolved(complete) }
            return ConfigurationReport(
                configuration: configuration, problems: problems.problems,
                environmentProblems: environment.problems + stale, files: files,
                effective: recorder?.sections ?? [], own: own, bundles: bundles, leftOut: leftOut)
        }
    }

    /// - Parameter others: problems of files that are no part of it.
    private func read(
        with bundles: [BundleSource], besides others: [ConfigurationProblem] = [], isComplete: Bool = true
    ) -> Reading {
        let problems = ProblemCollector()
        let environment = ProblemCollector()
        for file in order + bundles.map(\.file) {
            problems.willRead(.file(file))
            environment.willRead(.file(file))
        }
        for variable in variables { environment.willRead(.variable(variable.name)) }
        for problem in fileProblems + others { problems.add(problem) }
        let context = ReadingContext(problems: problems, recorder: explains ? EffectiveRecorder() : nil)
        let sources = own + bundles.compactMap(\.source)
        let draft = ConfigurationDraft(
            sources, isComplete: isComplete && fileProblems.isEmpty && others.isEmpty, variables: variables,
            hostName: HostName.current(), context)
        return Reading(
            draft: draft, problems: problems, environment: environment, own: own.map(\.source),
            bundles: bundles.compactMap { bundle in
                bundle.source.map { BundleText(name: bundle.name, version: bundle.version, source: $0.source) }
            },
            files: sources.map(\.file), recorder: context.recorder)
    }
}

extension LeftOutBundle {
    fileprivate init(_ source: BundleSource, _ problems: [ConfigurationProblem]) {
        self.init(name: source.name, version: source.version, problems: problems)
    }
}
