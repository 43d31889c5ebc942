import ArgumentParser
import ControlProtocol
import Spool

struct SpoolCheckCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read every record, and say what is damaged or missing.",
        discussion: """
            Changes nothing, and may run while the spool is in use: what is being written just then can look like a torn end. \
            The exit status is 1 when something is wrong.
            """)

    @OptionGroup var folders: SpoolFolders
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let views = try folders.paths().map { SpoolView(path: $0, try SpoolFolders.inspect($0)) }
        if output.json {
            try console.print(.array(views.map(\.json)))
        } else {
            for view in views { try console.print(view.findings(console.palette)) }
        }
        let count = views.reduce(0) { $0 + $1.inspection.problems.count }
        guard count > 0 else { return }
        throw CommandError(
            code: .failed,
            message:
                "\(count == 1 ? "one thing is" : "\(count) things are") wrong; opening a spool repairs it by itself "
                + "(holdfast spool repair, or the next start of holdfast-uplink)")
    }
}
