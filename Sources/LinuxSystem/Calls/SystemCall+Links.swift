import CLinux
import Glibc

/// Names of files beside each other, and room on the disk.
extension SystemCall {
    /// linkat(2), within one directory: another name for the same file.
    package static func makeLink(_ from: String, to: String, in directory: Int32? = nil) throws(SystemError) {
        let directory = directory ?? AT_FDCWD
        try perform("link", "\(from) to \(to)") { linkat(directory, from, directory, to, 0) }
    }

    /// symlinkat(2); fails when the path exists.
    package static func makeSymbolicLink(
        _ path: String, target: String, in directory: Int32? = nil
    ) throws(SystemError) {
        try perform("symlink", path) { symlinkat(target, directory ?? AT_FDCWD, path) }
    }

    /// The text of a symbolic link relative to a directory (readlinkat(2)).
    package static func linkTarget(_ path: String, in directory: Int32) throws(SystemError) -> String {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) {
            (buffer) throws(SystemError) -> String in
            guard let start = buffer.baseAddress else { return "" }
            let count = try perform("readlink", path) { readlinkat(directory, path, start, buffer.count) }
            return String(decoding: UnsafeRawBufferPointer(buffer).prefix(count), as: UTF8.self)
        }
    }

    /// fchmodat(2). A symbolic link is followed.
    package static func changeMode(
        of path: String, to permissions: UInt32, in directory: Int32
    ) throws(SystemError) {
        try perform("chmod", path) { fchmodat(directory, path, mode_t(permissions), 0) }
    }

    /// fchmod(2).
    package static func changeMode(_ descriptor: Int32, to permissions: UInt32) throws(SystemError) {
        try perform("fchmod") { fchmod(descriptor, mode_t(permissions)) }
    }

    /// fallocate(2): the file has so many bytes, and room for them on the disk.
    package static func allocate(_ descriptor: Int32, size: Int64) throws(SystemError) {
        try perform("fallocate") { hf_allocate(descriptor, size) }
    }

    /// fallocate(2): there is room on the disk for so many bytes of the file, whose length stays as it is.
    package static func reserve(_ descriptor: Int32, size: Int64) throws(SystemError) {
        try perform("fallocate") { hf_reserve(descriptor, size) }
    }

    /// syncfs(2): everything on the file system of the descriptor survives a power cut afterwards.
    package static func synchronizeFileSystem(_ descriptor: Int32) throws(SystemError) {
        try perform("syncfs") { hf_sync_file_system(descriptor) }
    }

    /// Lets the kernel forget what it holds of a file in memory (posix_fadvise(2)): what is read next comes from the disk, as
    /// far as it was written there.
    package static func forgetCache(_ descriptor: Int32) {
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    }

    /// Files that an unprivileged process may still make on the file system of `path` (statvfs(3)); `nil` where there is no
    /// limit.
    package static func availableFiles(at path: String) throws(SystemError) -> UInt64? {
        var status = statvfs()
        try perform("statvfs", path) { statvfs(path, &status) }
        return status.f_files == 0 ? nil : UInt64(status.f_favail)
    }
}

extension SystemError {
    /// A file has as many names as it can have.
    package var isTooManyLinks: Bool { errno == EMLINK }
    /// The disk cannot give back what was written to it.
    package var isDiskFailure: Bool { errno == EIO }
}
