import ArgumentParser
import ControlProtocol

struct DeployCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Bring a version of a bundle onto this device and run it, until it has proved itself.",
        discussion: """
            As central would, but from here. Each state is a line. The exit status is 0 only when the version is committed: it \
            has come through its probation; otherwise an earlier one runs again, and the reason is said. Ctrl-C ends the \
            watching, not the deployment: the same --id again watches on, and holdfast deployments cancel ends it.

            EXAMPLES
              holdfast deploy vision 2.4.0@7a6099cf7d837ddb --file vision-2.4.0.tar.zst
              holdfast deploy vision 2.4.0        a version that is on the device already
            """)

    @Argument(help: "The name of the bundle.", completion: BundleCompletion.name)
    var bundle: String

    @Argument(
        help: "VERSION@HASH; less of it will do for a version that this device knows.",
        completion: BundleCompletion.version)
    var version: String

    @Option(
        name: .long,
        help: ArgumentHelp(
            "What the archive is called at central, under which it was signed; not needed for a version that is here.",
            valueName: "name"))
    var file: String?

    @Option(
        name: .long,
        help: ArgumentHelp("How long the download may take, with every new try. (default: 3600)", valueName: "seconds"))
    var downloadWithin: Double?

    @OptionGroup var options: DeploymentOptions

    var output: OutputOptions { options.output }

    private static let longestDownload = 604_800.0

    func validate() throws {
        guard downloadWithin.map({ $0 > 0 && $0 <= Self.longestDownload }) ?? true else {
            throw ValidationError("A download takes more than 0 and at most 604800 seconds.")
        }
    }

    func perform(on console: Console) throws {
        try options.follow(
            .deploy, of: bundle, version, file: file, downloadWithin: downloadWithin.map { .seconds($0) }, on: console)
    }
}
