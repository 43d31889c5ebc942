import ArgumentParser
import ControlProtocol

struct SpoolStatCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "stat", abstract: "Show how much waits, and what was dropped or lost.")

    @OptionGroup var folders: SpoolFolders
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let views = try folders.paths().map { SpoolView(path: $0, try SpoolFolders.inspect($0)) }
        if output.json { return try console.print(.array(views.map(\.json))) }
        try console.print(SpoolView.table(views).lines(console.palette, width: console.surroundings.columns))
    }
}
