package import LinuxSystem

/// A store's folder on a real file system, for this process alone.
package final class StoreFolder: StoreFiles {
    package let root: String
    private let directory: Descriptor
    private let lock: DirectoryLock?
    private var open: SharedDescriptor?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 * 1024, alignment: 16)

    deinit { buffer.deallocate() }

    /// Takes the folder, and makes it when there is none; its parent has to be there.
    /// - Parameter path: absolute: it stands in what workers are started with.
    /// - Throws: an error that `isLockedByAnother` when another process has it.
    package init(_ path: String) throws(SystemError) {
        root = path
        do throws(SystemError) {
            try SystemCall.makeDirectory(path, permissions: 0o755)
        } catch {
            guard error.alreadyExists else { throw error }
        }
        lock = try DirectoryLock(path)
        directory = try SystemCall.open(path, [.readOnly, .directory])
    }

    /// To look into a store that may be in use.
    package init(reading path: String) throws(SystemError) {
        root = path
        lock = nil
        directory = try SystemCall.open(path, [.readOnly, .directory])
    }

    private func place(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }

    package func names(in folder: String) throws(SystemError) -> [String] {
        try SystemCall.names(inDirectory: place(folder))
    }

    package func status(_ path: String) throws(SystemError) -> StoreEntry? {
        do throws(SystemError) {
            let status = try SystemCall.status(of: path, followingLinks: false, in: directory.rawValue)
            return StoreEntry(
                kind: status.kind, mode: status.mode, size: Int(status.size), links: Int(clamping: status.links))
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    package func target(ofLink path: String) throws(SystemError) -> String {
        try SystemCall.linkTarget(path, in: directory.rawValue)
    }

    package func read(_ path: String, _ visit: (UnsafeRawBufferPointer) -> Void) throws(SystemError) -> Bool {
        let file: Descriptor
        do throws(SystemError) {
            file = try SystemCall.open(path, [.readOnly, .noFollow], in: directory.rawValue)
        } catch {
            guard error.isNotFound else { throw error }
            return false
        }
        SystemCall.forgetCache(file.rawValue)
        var offset: Int64 = 0
        while true {
            let count: Int
            do throws(SystemError) {
                count = try SystemCall.read(file.rawValue, into: buffer, at: offset)
            } catch {
                throw error.about(path)
            }
            if count == 0 { return true }
            offset += Int64(count)
            visit(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    // MARK: Changes

    package func makeFolder(_ path: String, permissions: UInt32) throws(SystemError) {
        try SystemCall.makeDirectory(path, permissions: permissions, in: directory.rawValue)
        // Whatever the umask: workers of other users read here.
        try SystemCall.changeMode(of: path, to: permissions, in: directory.rawValue)
    }

    package func create(_ path: String, size: Int) throws(SystemError) {
        let file = SharedDescriptor(
            try SystemCall.open(
                path, [.writeOnly, .create, .exclusive, .noFollow], permissions: 0o600, in: directory.rawValue))
        try allocate(file, size)
        open = file
    }

    private func allocate(_ file: SharedDescriptor, _ size: Int) throws(SystemError) {
        guard size > 0, let number = file.rawValue else { return }
        do throws(SystemError) {
            try SystemCall.allocate(number, size: Int64(size))
        } catch {
            guard error.isNotSupported else { throw error }
        }
    }

    package func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        guard let number = open?.rawValue else { return }
        var rest = bytes[...]
        while !rest.isEmpty {
            // A regular file never has one wait.
            guard
                case .done(let count) = try SystemCall.write(number, UnsafeRawBufferPointer(rebasing: rest))
            else { continue }
            rest = rest.dropFirst(count)
        }
    }

    package func synchronize() throws(SystemError) {
        guard let number = open?.rawValue else { return }
        try SystemCall.synchronize(number)
    }

    package func close(permissions: UInt32) throws(SystemError) {
        guard let number = open?.rawValue else { return }
        defer { open = nil }
        try SystemCall.changeMode(number, to: permissions)
    }

    package func reserve(_ path: String, size: Int) throws(SystemError) {
        let file = SharedDescriptor(
            try SystemCall.open(
                path, [.writeOnly, .create, .noFollow], permissions: 0o600, in: directory.rawValue))
        try allocate(file, size)
    }

    package func cut(_ path: String, to size: Int) throws(SystemError) {
        let file = try SystemCall.open(path, [.writeOnly, .noFollow], in: directory.rawValue)
        let length = try SystemCall.status(file.rawValue).size
        if length > Int64(size) { try SystemCall.truncate(file.rawValue, to: Int64(size)) }
    }

    package func changeMode(_ path: String, to permissions: UInt32) throws(SystemError) {
        try SystemCall.changeMode(of: path, to: permissions, in: directory.rawValue)
    }

    package func link(_ path: String, to other: String) throws(SystemError) {
        try SystemCall.makeLink(path, to: other, in: directory.rawValue)
    }

    package func makeLink(_ path: String, target: String) throws(SystemError) {
        try SystemCall.makeSymbolicLink(path, target: target, in: directory.rawValue)
    }

    package func rename(_ path: String, to other: String) throws(SystemError) {
        try SystemCall.rename(path, to: other, in: directory.rawValue)
    }

    package func remove(_ path: String) throws(SystemError) {
        try SystemCall.removeFile(path, in: directory.rawValue)
    }

    package func removeFolder(_ path: String) throws(SystemError) {
        try SystemCall.removeDirectory(path, in: directory.rawValue)
    }

    package func syncAll() throws(SystemError) { try SystemCall.synchronizeFileSystem(directory.rawValue) }

    package func syncFolder(_ path: String) throws(SystemError) {
        guard !path.isEmpty else { return try SystemCall.synchronize(directory.rawValue) }
        let folder = try SystemCall.open(path, [.readOnly, .directory], in: directory.rawValue)
        try SystemCall.synchronize(folder.rawValue)
    }

    package func available() throws(SystemError) -> (bytes: Int, files: Int?) {
        (
            Int(clamping: try SystemCall.availableSpace(at: root)),
            try SystemCall.availableFiles(at: root).map { Int(clamping: $0) }
        )
    }
}
