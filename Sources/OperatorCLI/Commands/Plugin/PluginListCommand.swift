import ArgumentParser
import ControlProtocol

struct PluginListCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show the plugins of this device, what they do, and why one is not used.",
        discussion: """
            Those that the configuration grants anything ([[plugin]]). Files that were refused, or have changed, are looked \
            at again.

            EXAMPLES
              holdfast plugin list
              holdfast plugin list --json | jq -r '.plugins[] | select(.state == "refused") | .reason'
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let client = try connection.connect(console)
        let reply = try client.call(.plugins)
        if output.json { return try console.print(reply) }
        let view = PluginListView(plugins: try client.decode(reply, as: PluginsReply.self).plugins)
        try console.print(view.lines(console.palette, width: console.surroundings.columns))
    }
}
