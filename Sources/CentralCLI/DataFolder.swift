import ArgumentParser
import CentralService
import CentralStore
import Glibc

/// Where central keeps everything.
struct DataFolder: ParsableArguments {
    @Option(name: .customLong("data"), help: ArgumentHelp("Where central keeps everything.", valueName: "folder"))
    var path = "/var/lib/holdfast-central"

    /// Opens the store; makes the folder when it is not there.
    func store() throws -> SQLiteStore {
        // Keys lie here: nobody else looks in.
        umask(0o077)
        if mkdir(path, 0o700) != 0, errno != EEXIST {
            throw CentralError(
                .dataFolder, "cannot make \(path): \(String(cString: strerror(errno))). Name another with --data")
        }
        guard access(path, W_OK) == 0 else {
            throw CentralError(
                .dataFolder,
                "cannot write to \(path): \(String(cString: strerror(errno))). Run as the user that the service has"
                    + " (sudo -u holdfast-central), or name another folder with --data")
        }
        do {
            return try SQLiteStore(path: path + "/central.sqlite")
        } catch {
            throw CentralError(.dataFolder, "cannot open \(path)/central.sqlite: \(error)")
        }
    }

    /// Where bundles lie, beside the store, which has to be there.
    func content() throws -> ContentFolder { try ContentFolder(path + "/content") }
}
