import ArgumentParser
import ControlProtocol

struct DeploymentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deployments",
        abstract: "Show the bundles of this device: what runs, what is good, and how the last deployment came out.",
        discussion: """
            EXAMPLES
              holdfast deployments
              holdfast deployments --json | jq -r '.bundles[] | select(.deployment.state == "failed") | .name'
              holdfast deployments cancel cli-8f3a12
            """,
        subcommands: [DeploymentsListCommand.self, DeploymentsCancelCommand.self],
        defaultSubcommand: DeploymentsListCommand.self)
}

struct DeploymentsListCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show them. (the default)",
        discussion: """
            GOOD are versions that have proved themselves, the latest first; BARRED those that have failed here, which are \
            taken again only with --force.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let client = try connection.connect(console)
        let reply = try client.call(.deployments)
        if output.json { return try console.print(reply) }
        let view = DeploymentsView(bundles: try client.decode(reply, as: DeploymentsReply.self).bundles)
        try console.print(view.lines(console.palette, width: console.surroundings.columns))
    }
}

struct DeploymentsCancelCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Call a deployment off.",
        discussion: """
            By its id, which holdfast deploy says and holdfast deployments shows. Before the switch nothing was changed; after it \
            the earlier version is taken back. It does not wait for that.

            EXAMPLES
              holdfast deployments cancel cli-8f3a12
            """)

    @Argument(help: "The id of the deployment.")
    var id: String

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let reply = try connection.connect(console).call(.cancelDeployment(id: id))
        if output.json { try console.print(reply) }
    }
}
