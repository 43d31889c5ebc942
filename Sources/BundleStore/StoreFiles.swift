package import LinuxSystem

/// The file system as far as a bundle store needs it, so that tests can stop at every call, fail it, and take away what was
/// not synced. Paths are relative to the store's folder.
package protocol StoreFiles: AnyObject {
    /// Of the store's folder, absolute.
    var root: String { get }

    func names(in folder: String) throws(SystemError) -> [String]
    /// `nil` when there is nothing. Links are not followed.
    func status(_ path: String) throws(SystemError) -> StoreEntry?
    func target(ofLink path: String) throws(SystemError) -> String
    /// Hands over a file in pieces, from the disk where that can be had.
    /// - Returns: whether there is such a file.
    func read(_ path: String, _ visit: (UnsafeRawBufferPointer) -> Void) throws(SystemError) -> Bool

    func makeFolder(_ path: String, permissions: UInt32) throws(SystemError)
    /// Begins a new file, with room for its content; then come `append` and `close`. One at a time.
    func create(_ path: String, size: Int) throws(SystemError)
    func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError)
    /// The content survives a power cut afterwards.
    func synchronize() throws(SystemError)
    func close(permissions: UInt32) throws(SystemError)
    /// Makes a file that takes so many bytes of the disk. Where the file system cannot do that, nothing happens.
    func reserve(_ path: String, size: Int) throws(SystemError)
    func cut(_ path: String, to size: Int) throws(SystemError)
    func changeMode(_ path: String, to permissions: UInt32) throws(SystemError)
    func link(_ path: String, to other: String) throws(SystemError)
    func makeLink(_ path: String, target: String) throws(SystemError)
    /// Takes the place of what is there, at once.
    func rename(_ path: String, to other: String) throws(SystemError)
    func remove(_ path: String) throws(SystemError)
    func removeFolder(_ path: String) throws(SystemError)
    /// Everything survives a power cut afterwards.
    func syncAll() throws(SystemError)
    /// Which entries a folder has survives a power cut afterwards.
    func syncFolder(_ path: String) throws(SystemError)

    /// Bytes and files that still fit; `nil` files where there is no limit.
    func available() throws(SystemError) -> (bytes: Int, files: Int?)
}

/// What lies at a path.
package struct StoreEntry: Equatable, Sendable {
    package var kind: FileStatus.Kind
    /// The lower twelve bits.
    package var mode: UInt32
    /// In bytes.
    package var size: Int
    /// How many names it has.
    package var links: Int

    package init(kind: FileStatus.Kind, mode: UInt32, size: Int, links: Int) {
        self.kind = kind
        self.mode = mode
        self.size = size
        self.links = links
    }
}
