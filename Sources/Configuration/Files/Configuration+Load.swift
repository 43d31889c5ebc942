import LinuxSystem

extension Configuration {
    /// Where the configuration is when nobody says otherwise.
    package static let defaultPath = "/etc/holdfast/holdfast.toml"

    /// Reads files with their `conf.d/*.toml`, judges them, and asks this machine for the programs, directories, users
    /// and groups that they name. Reports every problem at once and never throws.
    ///
    /// A launch whose user or group the machine does not know has no `identity`; that is an environment problem, and the
    /// spawn must fail visibly.
    package static func load(paths: [String] = [defaultPath]) -> ConfigurationReport {
        let files = ConfigurationFiles(paths: paths)
        let problems = ProblemCollector()
        for file in files.order { problems.willRead(file) }
        for problem in files.problems { problems.add(problem) }
        let draft = ConfigurationDraft(files.sources, hostName: HostName.current(), problems)

        let environment = ProblemCollector()
        for file in files.order { environment.willRead(file) }
        var check = EnvironmentCheck(environment)
        check.inspect(draft)
        var configuration = draft.configuration
        if let complete = configuration { configuration = check.resolved(complete) }
        return ConfigurationReport(
            configuration: configuration, problems: problems.problems, environmentProblems: environment.problems,
            files: files.sources.map(\.file))
    }
}
