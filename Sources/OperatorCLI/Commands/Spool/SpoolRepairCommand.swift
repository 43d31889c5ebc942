import ArgumentParser
import ControlProtocol
import LinuxSystem
import Spool

struct SpoolRepairCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "repair", abstract: "Do what holdfast-uplink does when it opens a spool.",
        discussion: """
            Cuts off torn ends, renews a missing cursor, and counts what is gone. Nothing that can be read is removed. The spool must \
            not be in use.
            """)

    @OptionGroup var folders: SpoolFolders
    @OptionGroup var output: OutputOptions

    /// Large enough that nothing is dropped.
    private static let anyQuota = 1 << 50

    func perform(on console: Console) throws {
        let views = try folders.paths().map { path throws(CommandError) in
            let before = try SpoolFolders.inspect(path)
            try Self.open(path)
            return (before, SpoolView(path: path, try SpoolFolders.inspect(path)))
        }
        if output.json { return try console.print(.array(views.map(\.1.json))) }
        for (before, view) in views {
            let lost =
                (view.inspection.cursor?.lost ?? 0) - min(view.inspection.cursor?.lost ?? 0, before.cursor?.lost ?? 0)
            let left = before.problems.isEmpty ? "nothing was wrong" : before.problems.joined(separator: "; ")
            try console.print("\(view.path): \(left)")
            if lost > 0 { try console.print("  \(lost) records are counted as lost") }
        }
    }

    private static func open(_ path: String) throws(CommandError) {
        var random = SystemRandomNumberGenerator()
        let folder: SpoolFolder
        do throws(SystemError) {
            folder = try SpoolFolder(path)
        } catch {
            let reason =
                error.isLockedByAnother
                ? "is in use by process \(DirectoryLock.holder(of: path) ?? "?"): stop holdfast-uplink first"
                : "cannot be opened: \(error.message)"
            throw CommandError(code: error.spoolCode, message: "\(path) \(reason)")
        }
        do throws(SpoolError) {
            let settings = SpoolSettings(quota: anyQuota, whenFull: .refuse)
            _ = try Spool(folder, settings, at: WallClock.microseconds() / 1000, using: &random)
        } catch {
            throw CommandError(code: .failed, message: "\(path): \(error)")
        }
    }
}
