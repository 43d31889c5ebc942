package import LinuxSystem

/// A spool's folder on a real file system. Files that are written to stay open.
package final class SpoolFolder: SpoolFiles {
    package let path: String
    private let directory: Descriptor
    private var open: [String: SharedDescriptor] = [:]
    private static let mostOpen = 8

    private let isReadOnly: Bool
    private let lock: DirectoryLock?

    /// To look into a folder that may be in use.
    package init(reading path: String) throws(SystemError) {
        self.path = path
        isReadOnly = true
        lock = nil
        directory = try SystemCall.open(path, [.readOnly, .directory])
    }

    /// Takes the folder for this process alone, and makes it when there is none; its parent has to be there.
    /// - Throws: an error that `isLockedByAnother` when another process has it.
    package init(_ path: String, permissions: UInt32 = 0o700) throws(SystemError) {
        self.path = path
        isReadOnly = false
        do throws(SystemError) {
            try SystemCall.makeDirectory(path, permissions: permissions)
        } catch {
            guard error.alreadyExists else { throw error }
        }
        lock = try DirectoryLock(path)
        directory = try SystemCall.open(path, [.readOnly, .directory])
    }

    package func names() throws(SystemError) -> [String] { try SystemCall.names(inDirectory: path) }

    package func size(of name: String) throws(SystemError) -> Int {
        Int(try SystemCall.status(of: name, in: directory.rawValue).size)
    }

    package func read(
        _ name: String, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int {
        try withDescriptor(name, creates: false) { (descriptor) throws(SystemError) in
            var done = 0
            while done < buffer.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let count = try SystemCall.read(descriptor, into: rest, at: Int64(offset + done))
                if count == 0 { break }
                done += count
            }
            return done
        }
    }

    package func write(_ name: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try withDescriptor(name, creates: true) { (descriptor) throws(SystemError) in
            var done = 0
            while done < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                done += try SystemCall.write(descriptor, rest, at: Int64(offset + done))
            }
        }
    }

    package func cut(_ name: String, to size: Int) throws(SystemError) {
        try withDescriptor(name, creates: false) { (descriptor) throws(SystemError) in
            try SystemCall.truncate(descriptor, to: Int64(size))
        }
    }

    package func sync(_ name: String) throws(SystemError) {
        try withDescriptor(name, creates: false) { (descriptor) throws(SystemError) in
            try SystemCall.synchronizeData(descriptor)
        }
    }

    package func syncNames() throws(SystemError) { try SystemCall.synchronize(directory.rawValue) }

    package func remove(_ name: String) throws(SystemError) {
        open[name] = nil
        try SystemCall.removeFile(name, in: directory.rawValue)
    }

    private func withDescriptor<Value>(
        _ name: String, creates: Bool, _ body: (Int32) throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        if let number = open[name]?.rawValue { return try body(number) }
        let mode: OpenMode =
            isReadOnly
            ? [.readOnly, .noFollow] : creates ? [.readWrite, .create, .noFollow] : [.readWrite, .noFollow]
        let descriptor = SharedDescriptor(
            try SystemCall.open(name, mode, permissions: 0o600, in: directory.rawValue))
        if open.count >= SpoolFolder.mostOpen { open = [:] }
        open[name] = descriptor
        guard let number = descriptor.rawValue else {
            throw SystemError(call: "openat", errno: SystemError.noSuchEntry)
        }
        return try body(number)
    }
}
