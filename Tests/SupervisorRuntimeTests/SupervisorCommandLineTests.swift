import Testing

@testable import SupervisorRuntime

@Suite struct SupervisorCommandLineTests {
    private static let standard = "/etc/holdfast/holdfast.toml"

    @Test(arguments: [
        (["holdfastd"], SupervisorCommandLine.run(configuration: standard)),
        (["holdfastd", "--config", "a.toml"], .run(configuration: "a.toml")),
        (["holdfastd", "--config=a.toml"], .run(configuration: "a.toml")),
        (["holdfastd", "--check"], .check(configuration: standard, stateVersion: nil)),
        (["holdfastd", "--check=3", "-c", "a.toml"], .check(configuration: "a.toml", stateVersion: 3)),
        (["holdfastd", "--version"], .printVersion),
        (["holdfastd", "--help"], .printHelp),
    ])
    func `what is asked for is done`(_ arguments: [String], _ expected: SupervisorCommandLine) {
        #expect(SupervisorCommandLine(arguments) == expected)
    }

    @Test(arguments: [
        SupervisorCommandLine.run(configuration: "a.toml"), .check(configuration: "a.toml", stateVersion: 3),
        .check(configuration: "a.toml", stateVersion: nil), .printVersion, .printHelp,
    ])
    func `what is executed is understood`(_ commandLine: SupervisorCommandLine) {
        #expect(SupervisorCommandLine(commandLine.arguments) == commandLine)
    }

    /// The last: a chroot without /proc, where `holdfastd --version` began to supervise.
    @Test(arguments: [
        ["holdfastd", "--frobnicate"], ["holdfastd", "--config"], ["holdfastd", "--config", ""],
        ["holdfastd", "--check=now"], [],
    ])
    func `what is not understood starts nothing`(_ arguments: [String]) {
        guard case .invalid = SupervisorCommandLine(arguments) else {
            Issue.record("\(arguments) started something")
            return
        }
    }
}
