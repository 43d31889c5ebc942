import ArgumentParser
import ControlProtocol

struct RollbackCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Run a version of a bundle again that was good.",
        discussion: """
            Without a version: the one that was good before the current one. It needs neither network nor room. Where a version \
            says that its data cannot go back, it takes --force. The exit status is 0 only when the earlier version is \
            committed.

            EXAMPLES
              holdfast rollback vision
              holdfast rollback vision 2.3.1
            """)

    @Argument(help: "The name of the bundle.", completion: BundleCompletion.name)
    var bundle: String

    @Argument(help: "One of its good versions; its beginning will do.", completion: BundleCompletion.version)
    var version: String?

    @OptionGroup var options: DeploymentOptions

    var output: OutputOptions { options.output }

    func perform(on console: Console) throws {
        try options.follow(.rollback, of: bundle, version, on: console)
    }
}
