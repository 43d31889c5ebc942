import LinuxSystem

/// `runtime_dir`: sockets, FIFOs and the lock, gone after a reboot.
struct RuntimeDirectory {
    let path: String

    var controlSocket: String { "\(path)/control.sock" }
    var stateFile: String { "\(path)/state" }
    var notifySockets: String { "\(path)/notify/" }

    func notifySocket(of worker: String) -> String { notifySockets + worker }
    func telemetrySocket(of worker: String) -> String { "\(path)/telemetry/\(worker)" }
    func fifo(of worker: String) -> String { "\(path)/output/\(worker).fifo" }

    /// Makes the folders that are not there yet. Everybody may pass through to the sockets, whose own permissions decide.
    func create() throws(SystemError) {
        try Self.makeDirectories(path, permissions: 0o755)
        try Self.makeDirectories("\(path)/notify", permissions: 0o711)
        try Self.makeDirectories("\(path)/telemetry", permissions: 0o711)
        try Self.makeDirectories("\(path)/output", permissions: 0o700)
    }

    /// mkdir(2) for each part of the path that is missing; the last one gets the permissions.
    static func makeDirectories(_ path: String, permissions: UInt32) throws(SystemError) {
        var prefix = path.hasPrefix("/") ? "" : "."
        for component in path.split(separator: "/") {
            prefix += "/\(component)"
            do throws(SystemError) {
                try SystemCall.makeDirectory(prefix, permissions: prefix == path ? permissions : 0o755)
            } catch {
                guard error.alreadyExists else { throw error }
            }
        }
    }
}
