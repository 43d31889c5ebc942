import CLinux
import Glibc

/// How a file is opened (open(2)). Close-on-exec always.
package struct OpenMode: OptionSet, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    package static let readOnly = OpenMode(rawValue: O_RDONLY)
    package static let writeOnly = OpenMode(rawValue: O_WRONLY)
    package static let readWrite = OpenMode(rawValue: O_RDWR)
    package static let create = OpenMode(rawValue: O_CREAT)
    /// With `create`: fail when the file is there already.
    package static let exclusive = OpenMode(rawValue: O_EXCL)
    package static let append = OpenMode(rawValue: O_APPEND)
    package static let truncate = OpenMode(rawValue: O_TRUNC)
    package static let nonBlocking = OpenMode(rawValue: O_NONBLOCK)
    package static let directory = OpenMode(rawValue: O_DIRECTORY)
    /// Fail when the last component is a symbolic link.
    package static let noFollow = OpenMode(rawValue: O_NOFOLLOW)
    /// Only a handle on the path, for `*at` calls.
    package static let path = OpenMode(rawValue: hf_o_path)
}

/// What stat(2) says of a file, as far as the runtime asks.
package struct FileStatus: Hashable, Sendable {
    package enum Kind: Sendable {
        case regular, directory, fifo, socket, symbolicLink, characterDevice, blockDevice, other
    }

    package var kind: Kind
    /// The lower twelve bits: permissions, setuid, setgid, sticky.
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32
    /// How many names it has; 0 for one that was removed.
    package var links: UInt64
    /// Bytes.
    package var size: Int64
    package var device: UInt64
    package var inode: UInt64
    /// Last modification, in seconds since 1970.
    package var modified: Double

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFLNK: .symbolicLink
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            default: .other
            }
        mode = UInt32(status.st_mode) & 0o7777
        uid = status.st_uid
        gid = status.st_gid
        links = UInt64(status.st_nlink)
        size = Int64(status.st_size)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        modified = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) * 1e-9
    }
}

extension SystemCall {
    /// openat(2) relative to a directory, or to the working directory. `permissions` are subject to the umask.
    package static func open(
        _ path: String, _ mode: OpenMode, permissions: UInt32 = 0o600, in directory: Int32? = nil
    ) throws(SystemError) -> Descriptor {
        let flags = mode.rawValue | O_CLOEXEC
        return Descriptor(
            owning: try perform("openat", path) { openat(directory ?? AT_FDCWD, path, flags, mode_t(permissions)) })
    }

    /// read(2). Zero bytes is the end of the file, or all writers of a pipe are gone.
    package static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> IOResult<Int> {
        try performNonBlocking("read") { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
    }

    /// Reads at most `limit` bytes of a small file; what is longer is cut off.
    package static func readFile(
        _ path: String, limit: Int, in directory: Int32? = nil
    ) throws(SystemError) -> [UInt8] {
        let file = try open(path, .readOnly, in: directory)
        var bytes: [UInt8] = []
        let step = min(limit, 4096)
        var chunk = [UInt8](repeating: 0, count: step)
        while bytes.count < limit {
            let count = try perform("read", path) {
                chunk.withUnsafeMutableBytes { Glibc.read(file.rawValue, $0.baseAddress, $0.count) }
            }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<min(count, limit - bytes.count)])
        }
        return bytes
    }

    /// write(2). May write less than everything. A pipe or socket without a reader is an error (EPIPE) provided that
    /// SIGPIPE is ignored.
    package static func write(
        _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer
    ) throws(SystemError) -> IOResult<Int> {
        try performNonBlocking("write") { Glibc.write(descriptor, bytes.baseAddress, bytes.count) }
    }

    package static func write(_ descriptor: Int32, _ bytes: [UInt8]) throws(SystemError) -> IOResult<Int> {
        try performNonBlocking("write") { bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } }
    }

    /// Writes everything to a file in one go, such as a control file of /proc or of a cgroup.
    package static func writeFile(
        _ path: String, _ text: String, in directory: Int32? = nil
    ) throws(SystemError) {
        let file = try open(path, .writeOnly, in: directory)
        var text = text
        try perform("write", path) {
            text.withUTF8 { Glibc.write(file.rawValue, $0.baseAddress, $0.count) }
        }
    }

    /// mkfifoat(3); fails when the path exists.
    package static func makeFIFO(_ path: String, permissions: UInt32 = 0o600) throws(SystemError) {
        try perform("mkfifo", path) { mkfifo(path, mode_t(permissions)) }
    }

    /// mkdirat(2); fails when the path exists. `permissions` are subject to the umask.
    package static func makeDirectory(
        _ path: String, permissions: UInt32 = 0o755, in directory: Int32? = nil
    ) throws(SystemError) {
        try perform("mkdir", path) { mkdirat(directory ?? AT_FDCWD, path, mode_t(permissions)) }
    }

    package static func removeFile(_ path: String, in directory: Int32? = nil) throws(SystemError) {
        try perform("unlink", path) { unlinkat(directory ?? AT_FDCWD, path, 0) }
    }

    package static func removeDirectory(_ path: String, in directory: Int32? = nil) throws(SystemError) {
        try perform("rmdir", path) { unlinkat(directory ?? AT_FDCWD, path, AT_REMOVEDIR) }
    }

    /// renameat(2), within one directory.
    package static func rename(_ from: String, to: String, in directory: Int32? = nil) throws(SystemError) {
        let directory = directory ?? AT_FDCWD
        try perform("rename", "\(from) to \(to)") { renameat(directory, from, directory, to) }
    }

    package static func status(_ descriptor: Int32) throws(SystemError) -> FileStatus {
        var status = stat()
        try perform("fstat") { fstat(descriptor, &status) }
        return FileStatus(status)
    }

    /// fstatat(2).
    package static func status(
        of path: String, followingLinks: Bool = true, in directory: Int32? = nil
    ) throws(SystemError) -> FileStatus {
        var status = stat()
        let flags = followingLinks ? 0 : AT_SYMLINK_NOFOLLOW
        try perform("stat", path) { fstatat(directory ?? AT_FDCWD, path, &status, flags) }
        return FileStatus(status)
    }

    package static func changeMode(of path: String, to permissions: UInt32) throws(SystemError) {
        try perform("chmod", path) { chmod(path, mode_t(permissions)) }
    }

    /// lchown(2): a symbolic link is not followed. `nil` leaves the side as it is.
    package static func changeOwner(of path: String, uid: UInt32?, gid: UInt32?) throws(SystemError) {
        try perform("lchown", path) { lchown(path, uid ?? .max, gid ?? .max) }
    }

    /// The owner of the very file that a descriptor is open at, which may be one of `OpenMode.path` (fchownat(2)).
    package static func changeOwner(of descriptor: Int32, uid: UInt32, gid: UInt32) throws(SystemError) {
        try perform("fchownat") { hf_change_owner(descriptor, uid, gid) }
    }

    package static func truncate(_ descriptor: Int32, to size: Int64) throws(SystemError) {
        try perform("ftruncate") { ftruncate(descriptor, off_t(size)) }
    }

    /// fsync(2). Can block for seconds: never in holdfastd.
    package static func synchronize(_ descriptor: Int32) throws(SystemError) {
        try perform("fsync") { fsync(descriptor) }
    }

    /// Bytes that an unprivileged process may still write to the file system of `path` (statvfs(3)).
    package static func availableSpace(at path: String) throws(SystemError) -> UInt64 {
        var status = statvfs()
        try perform("statvfs", path) { statvfs(path, &status) }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    /// The names in a directory, without "." and "..", in no order.
    package static func names(inDirectory path: String) throws(SystemError) -> [String] {
        #if DEBUG
            if let injected = FaultInjection.take("opendir") {
                throw SystemError(call: "opendir", errno: injected, subject: path)
            }
        #endif
        guard let directory = opendir(path) else { throw SystemError(call: "opendir", errno: errno, subject: path) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}
