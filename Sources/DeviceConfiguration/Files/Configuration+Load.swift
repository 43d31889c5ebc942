import LinuxSystem

extension Configuration {
    /// Where the configuration is when nobody says otherwise.
    package static let defaultPath = "/etc/holdfast/holdfast.toml"

    /// A file of more bytes is no configuration.
    package static let largestFile = 1 << 20

    /// Reads files with their `conf.d/*.toml`, judges them, and asks this machine for the programs, directories, users
    /// and groups that they name. Reports every problem at once and never throws.
    ///
    /// A launch whose user or group the machine does not know has no `identity`; that is an environment problem, and the
    /// spawn must fail visibly.
    ///
    /// - Parameters:
    ///   - variables: the environment variables that override settings.
    ///   - explains: whether the report says where every value comes from. It costs many times what the values do.
    package static func load(
        paths: [String] = [defaultPath], variables: [ConfigurationVariable] = ConfigurationVariable.ofProcess(),
        explains: Bool = false
    ) -> ConfigurationReport {
        let files = ConfigurationFiles(paths: paths)
        let problems = ProblemCollector()
        for file in files.order { problems.willRead(.file(file)) }
        for problem in files.problems { problems.add(problem) }
        let context = ReadingContext(problems: problems, recorder: explains ? EffectiveRecorder() : nil)
        let draft = ConfigurationDraft(
            files.sources, isComplete: files.problems.isEmpty, variables: variables, hostName: HostName.current(),
            context)

        let environment = ProblemCollector()
        for file in files.order { environment.willRead(.file(file)) }
        for variable in variables { environment.willRead(.variable(variable.name)) }
        var check = EnvironmentCheck(environment)
        check.inspect(draft)
        var configuration = draft.configuration
        if let complete = configuration { configuration = check.resolved(complete) }
        return ConfigurationReport(
            configuration: configuration, problems: problems.problems, environmentProblems: environment.problems,
            files: files.sources.map(\.file), effective: context.recorder?.sections ?? [])
    }
}
