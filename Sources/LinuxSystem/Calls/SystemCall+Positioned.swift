import Glibc

/// Reading and writing at a place of a file, and syncing it. For regular files only; the calls block for the disk.
extension SystemCall {
    /// pread(2). Zero bytes is the end of the file.
    package static func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(SystemError) -> Int {
        try perform("pread") { pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// pwrite(2). May write less than everything.
    package static func write(
        _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int64
    ) throws(SystemError) -> Int {
        try perform("pwrite") { pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset)) }
    }

    /// fdatasync(2).
    package static func synchronizeData(_ descriptor: Int32) throws(SystemError) {
        try perform("fdatasync") { fdatasync(descriptor) }
    }
}
