import ArgumentParser

struct PluginCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin",
        abstract: "Write, check, try and list plugins, which execute commands.",
        discussion: """
            A plugin is a shared library that executes commands of kinds that Holdfast does not know itself. new, check \
            and run are for whoever writes one, and need no runtime; list and cancel are about those of this device. The guide is docs/plugins.md, the contract holdfast_plugin.h.

            EXAMPLES
              holdfast plugin new lamp --language c
              holdfast plugin check lamp/lamp.so
              holdfast plugin run lamp/lamp.so --command lamp/command.json
            """,
        subcommands: [
            PluginNewCommand.self, PluginCheckCommand.self, PluginRunCommand.self, PluginListCommand.self,
            PluginCancelCommand.self,
        ])
}
