import LinuxSystem

/// A file in the runtime directory for as long as a start is under way. Found after the end, it tells the unit's
/// ExecStopPost= that this start came to nothing: the next one waits a little, so that a configuration that cannot be
/// used fills neither the processor nor the journal. A runtime that dies later is started again at once.
struct StartMarker {
    private let path: String

    /// Makes the file. `nil` when there is no service manager that would look at it.
    /// - Parameter directory: RUNTIME_DIRECTORY.
    init?(in directory: String?) {
        guard let directory else { return nil }
        path = "\(directory)/starting"
        // On a file system that takes no file the wait is lost, and nothing else.
        _ = try? SystemCall.open(path, [.writeOnly, .create], permissions: 0o644)
    }

    func remove() {
        try? SystemCall.removeFile(path)
    }
}
