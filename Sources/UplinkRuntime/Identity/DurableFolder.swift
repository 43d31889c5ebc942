import LinuxSystem

/// A folder of small files that are replaced as a whole: after a kill or a power cut each is as it was or as it should be.
struct DurableFolder {
    let path: String
    private static let temporary = ".new"

    /// Makes the folder, for this user alone, when there is none.
    init(_ path: String) throws(SystemError) {
        self.path = path
        do throws(SystemError) {
            try SystemCall.makeDirectory(path, permissions: 0o700)
        } catch {
            guard error.alreadyExists else { throw error }
        }
    }

    /// - Parameter isSynced: it survives a power cut.
    func write(_ name: String, _ bytes: [UInt8], isSynced: Bool = true) throws(SystemError) {
        let directory = try SystemCall.open(path, [.readOnly, .directory])
        let temporary = name + Self.temporary
        // One that a kill has left may have any permissions.
        try? SystemCall.removeFile(temporary, in: directory.rawValue)
        let file = try SystemCall.open(
            temporary, [.writeOnly, .create, .exclusive, .noFollow], permissions: 0o600, in: directory.rawValue)
        var done = 0
        while done < bytes.count {
            guard case .done(let count) = try SystemCall.write(file.rawValue, Array(bytes[done...])) else { break }
            done += count
        }
        if isSynced { try SystemCall.synchronize(file.rawValue) }
        try SystemCall.rename(temporary, to: name, in: directory.rawValue)
        if isSynced { try SystemCall.synchronize(directory.rawValue) }
    }

    /// Puts a file in the place of another.
    func rename(_ name: String, to other: String) throws(SystemError) {
        let directory = try SystemCall.open(path, [.readOnly, .directory])
        try SystemCall.rename(name, to: other, in: directory.rawValue)
        try SystemCall.synchronize(directory.rawValue)
    }

    /// `nil` when there is none.
    func read(_ name: String, limit: Int = 1 << 20) throws(SystemError) -> [UInt8]? {
        do throws(SystemError) {
            return try SystemCall.readFile("\(path)/\(name)", limit: limit)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    func remove(_ name: String) { try? SystemCall.removeFile("\(path)/\(name)") }

    /// All but what a kill has left half written.
    func names() -> [String] {
        ((try? SystemCall.names(inDirectory: path)) ?? []).filter { !$0.hasSuffix(Self.temporary) }
    }
}
