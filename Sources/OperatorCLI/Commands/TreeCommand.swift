import ArgumentParser
import ControlProtocol

struct TreeCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree",
        abstract: "Draw the supervisor tree.",
        discussion: """
            Supervisors show their strategy and their restarts: 2/5 in 30s means that two of the five restarts allowed \
            within 30 seconds were made.

            EXAMPLES
              holdfast tree
              holdfast tree --json | jq '.tree[0].children[].name'
            """)

    private enum Key: String { case runtime, tree }

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let report = try connection.connect(console).status()
        if output.json {
            let roots = JSONValue.array(ReportTree(report).roots.map(\.json))
            return try console.print([Key.runtime.rawValue: report.runtime.json, Key.tree.rawValue: roots])
        }
        let view = TreeView(report: report, palette: console.palette, width: console.surroundings.columns)
        try console.print(view.lines)
    }
}
