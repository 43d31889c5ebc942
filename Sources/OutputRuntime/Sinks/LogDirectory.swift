import LinuxSystem

/// The folder that the log files are in. holdfastd opens it and hands it over, for this process's user may have no right to
/// get there by its path.
final class LogDirectory {
    let path: String
    private let handed: SharedDescriptor?

    /// - Parameter descriptor: the folder, open; `nil` to reach it by its path, and to make it when it is missing and its
    ///   parent is there.
    init(_ path: String, descriptor: SharedDescriptor? = nil) {
        self.path = path
        handed = descriptor
        // Whatever is wrong with it is said by the first file that cannot be opened there.
        if descriptor == nil { try? SystemCall.makeDirectory(path, permissions: 0o750) }
    }

    /// The folder for `*at` calls, with `name` in a form that suits it.
    private var base: Int32? { handed?.rawValue }
    private func target(_ name: String) -> String { base == nil ? pathOf(name) : name }

    /// For messages.
    func pathOf(_ name: String) -> String { "\(path)/\(name)" }

    /// Whether the handed folder was removed: nothing can ever be made in it again.
    var isGone: Bool {
        guard let base, let status = try? SystemCall.status(base) else { return false }
        return status.links == 0
    }

    func open(_ name: String, _ mode: OpenMode, permissions: UInt32) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try SystemCall.open(target(name), mode, permissions: permissions, in: base)
        } catch {
            throw error.about(pathOf(name))
        }
    }

    /// Of the file itself, should it be a link.
    func status(of name: String) throws(SystemError) -> FileStatus {
        try SystemCall.status(of: target(name), followingLinks: false, in: base)
    }

    func rename(_ name: String, to other: String) throws(SystemError) {
        do throws(SystemError) {
            try SystemCall.rename(target(name), to: target(other), in: base)
        } catch {
            throw error.about(pathOf(name))
        }
    }

    func remove(_ name: String) throws(SystemError) {
        try SystemCall.removeFile(target(name), in: base)
    }
}
