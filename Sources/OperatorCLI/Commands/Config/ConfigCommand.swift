import ArgumentParser

/// Groups what makes configurations.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Make a configuration.",
        subcommands: [ImportCommand.self])
}
