package import LinuxSystem

/// The folder that a spool lies in: the file system as far as a spool needs it, so that tests can tear every write and
/// fail every call.
package protocol SpoolFiles: AnyObject {
    /// Of all files, in any order.
    func names() throws(SystemError) -> [String]
    /// In bytes.
    func size(of name: String) throws(SystemError) -> Int
    /// - Returns: how many bytes were read; fewer than there is room for only at the end of the file.
    func read(_ name: String, at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int
    /// Makes the file when there is none. A part may have been written where it throws.
    func write(_ name: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(SystemError)
    func cut(_ name: String, to size: Int) throws(SystemError)
    /// The content of a file survives a power cut afterwards (fdatasync(2)).
    func sync(_ name: String) throws(SystemError)
    /// Which files there are survives a power cut afterwards.
    func syncNames() throws(SystemError)
    func remove(_ name: String) throws(SystemError)
}
