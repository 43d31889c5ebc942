import DeviceConfiguration
import LinuxSystem

/// The folder of the log files as `holdfast-output` gets it: there, its own, and open, since its user may have no right to get
/// there by the path. Opened once and held: when `holdfast-output` was ended because the disk does not answer, its start must
/// not ask the disk again.
struct LogFolder {
    let path: String
    /// `nil` when there is none, which `warning` explains.
    let descriptor: SharedDescriptor?
    private(set) var warning: String?

    /// Whether it was removed since.
    var isGone: Bool {
        guard let number = descriptor?.rawValue, let status = try? SystemCall.status(number) else { return false }
        return status.links == 0
    }

    /// - Parameters:
    ///   - owner: who it is handed over to; `nil` to leave it as it is.
    ///   - group: whose members may read; `nil` for the owner's own.
    init(_ path: String, owner: SpawnRequest.Identity?, group: UInt32?) {
        self.path = path
        do throws(SystemError) {
            let isNew = (try? SystemCall.status(of: path)) == nil
            try RuntimeDirectory.makeDirectories(path, permissions: 0o750)
            let folder = try SystemCall.open(path, [.path, .directory])
            if let owner {
                warning = try Self.handOver(folder.rawValue, path, to: owner.uid, group ?? owner.gid)
                // New files get the group of the folder, not that of their writer.
                if isNew { try SystemCall.changeMode(of: path, to: 0o2750) }
            }
            descriptor = SharedDescriptor(folder)
        } catch {
            descriptor = nil
            warning = "there are no log files: \(error)"
        }
    }

    /// Gives the folder and the logs in it to another owner, unless something else is in it as well: then it is a folder of
    /// others too (/var/log), and stays as it is.
    /// - Returns: why not, if so.
    private static func handOver(
        _ folder: Int32, _ path: String, to uid: UInt32, _ gid: UInt32
    ) throws(SystemError) -> String? {
        let status = try SystemCall.status(folder)
        let isOwned = status.uid == uid
        let names = try SystemCall.names(inDirectory: path)
        if !isOwned, let other = names.first(where: { !isLog($0) }) {
            return
                "\(path) is not given to holdfast-output, since there is more in it than logs (\(other)): set [output] "
                + "directory to a folder of its own"
        }
        for name in names where isLog(name) {
            let file = try SystemCall.open(name, [.path, .noFollow], in: folder)
            guard isLeft(try SystemCall.status(file.rawValue), by: status.uid, to: uid) else { continue }
            try SystemCall.changeOwner(of: file.rawValue, uid: uid, gid: gid)
        }
        // Last: up to here nobody else could put anything there.
        if !isOwned { try SystemCall.changeOwner(of: folder, uid: uid, gid: gid) }
        return nil
    }

    /// Whether a file was written by who had the folder until now, or by root. Only one of a single name: a second name could
    /// be a link to a file from anywhere, made by somebody who would like to have that.
    private static func isLeft(_ file: FileStatus, by owner: UInt32, to uid: UInt32) -> Bool {
        file.kind == .regular && file.links == 1 && file.uid != uid && (file.uid == owner || file.uid == 0)
    }

    /// NAME.log, NAME.log.1, ... (docs/output.md).
    private static func isLog(_ name: String) -> Bool {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count > 2, parts.last?.allSatisfy(\.isNumber) == true { parts.removeLast() }
        return parts.count > 1 && parts.last == "log"
    }
}
