import ArgumentParser
import ControlProtocol

/// The root of the command line.
struct HoldfastCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holdfast",
        abstract: "Watch and steer the Holdfast runtime of this device.",
        discussion: """
            EXAMPLES
              holdfast status                  every worker, and when it is tried again
              holdfast top                     the same live, with CPU and memory
              holdfast health                  how hot the device is, and what it does about it
              holdfast logs camera --follow    what a worker prints
              holdfast incidents camera        why it was restarted

            ENVIRONMENT
              HOLDFAST_SOCKET   the control socket, unless --socket is given
              NO_COLOR          no colours when set
              HOLDFAST_TELEMETRY_SOCKET   of a worker, for emit
              HOLDFAST_CONFIG__<SECTION>__<KEY>   overrides a setting, for check

            EXIT STATUS
              0  done                          4  not permitted
              1  the request failed            5  the configuration is invalid
              2  wrong usage                   6  there is no such worker
              3  no runtime answers

            COMPLETION
              holdfast --generate-completion-script bash|zsh|fish
            """,
        version: "holdfast \(HoldfastVersion.current)",
        groupedSubcommands: [
            CommandGroup(
                name: "Watch",
                subcommands: [
                    StatusCommand.self, TreeCommand.self, TopCommand.self, HealthCommand.self, EventsCommand.self,
                    LogsCommand.self, IncidentsCommand.self, MetricsCommand.self,
                ]),
            CommandGroup(name: "Steer", subcommands: [WorkerCommand.self, ReloadCommand.self, UpgradeCommand.self]),
            CommandGroup(
                name: "Central",
                subcommands: [UplinkCommand.self, EnrolCommand.self, SpoolCommand.self, FleetCommand.self]),
            CommandGroup(
                name: "Deploy",
                subcommands: [
                    DeploymentsCommand.self, DeployCommand.self, RollbackCommand.self, BundleCommand.self,
                ]),
            CommandGroup(name: "Set up", subcommands: [CheckCommand.self, ConfigCommand.self, VersionCommand.self]),
            CommandGroup(
                name: "Extend", subcommands: [PluginCommand.self, ExecuteCommand.self, SelftestCommand.self]),
            CommandGroup(name: "From a worker", subcommands: [EmitCommand.self]),
        ])

    static var _errorLabel: String { "holdfast" }
}
