import ArgumentParser
import LinuxSystem
import Spool

/// Which spools a command is about.
struct SpoolFolders: ParsableArguments {
    static let defaultParent = "/var/lib/holdfast/spool"

    @Argument(
        help: ArgumentHelp(
            "Folders of spools, or the folder that holds both. (default: \(defaultParent))", valueName: "folder"),
        completion: .directory)
    var folders: [String] = []

    /// The paths of the spools. A folder without a spool of its own stands for those in it.
    func paths() throws(CommandError) -> [String] {
        var paths: [String] = []
        for folder in folders.isEmpty ? [Self.defaultParent] : folders {
            let names: [String]
            do throws(SystemError) {
                names = try SystemCall.names(inDirectory: folder)
            } catch {
                throw CommandError(code: error.spoolCode, message: "\(folder) cannot be read: \(error.message)")
            }
            let inside = names.filter { ["events", "readings"].contains($0) }.sorted()
            paths += inside.isEmpty ? [folder] : inside.map { "\(folder)/\($0)" }
        }
        return paths
    }

    static func inspect(
        _ path: String, _ visit: (SpoolRecord) -> Void = { _ in }
    ) throws(CommandError) -> SpoolInspection {
        do throws(SystemError) {
            return try SpoolInspection(SpoolFolder(reading: path), visit)
        } catch {
            throw CommandError(code: error.spoolCode, message: "\(path) cannot be read: \(error.message)")
        }
    }
}

extension SystemError {
    var spoolCode: CommandError.Code { isPermissionDenied ? .notPermitted : .failed }
}
