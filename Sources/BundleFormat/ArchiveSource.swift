import LinuxSystem
import Trust

/// The bytes of an archive on their way from a file: each is hashed and looked at before the library sees it.
final class ArchiveSource {
    private let descriptor: Int32
    private var offset: Int64 = 0
    private let hasher: SHA256Hasher
    private var window: ZstandardWindow?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 * 1024, alignment: 16)
    /// Why nothing more comes: the library only knows that.
    private(set) var failure: BundleError?
    /// How many there were.
    var count: Int { Int(offset) }

    /// - Parameter descriptor: of a regular file, read from its beginning; stays the caller's.
    init(descriptor: Int32, isZstandard: Bool) throws(BundleError) {
        self.descriptor = descriptor
        window = isZstandard ? ZstandardWindow() : nil
        hasher = try BundleError.trust { () throws(TrustError) in try SHA256Hasher() }
    }

    deinit { buffer.deallocate() }

    /// The next piece, valid until the next call; empty at the end. `nil` when that fails.
    func next() -> UnsafeRawBufferPointer? {
        guard failure == nil else { return nil }
        do throws(BundleError) {
            let count = try BundleError.system { () throws(SystemError) in
                try SystemCall.read(descriptor, into: buffer, at: offset)
            }
            offset += Int64(count)
            guard count <= BundleLimits.archive, offset <= Int64(BundleLimits.archive) else {
                throw BundleError(.tooLarge, "the archive has more than \(BundleLimits.archive) bytes")
            }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            try window?.read(piece)
            try BundleError.trust { () throws(TrustError) in try hasher.add(piece) }
            return piece
        } catch {
            failure = error
            return nil
        }
    }

    /// Reads to the end, and says what all bytes hash to.
    func finish() throws(BundleError) -> SHA256Digest {
        while let piece = next(), !piece.isEmpty {}
        if let failure { throw failure }
        return try BundleError.trust { () throws(TrustError) in try hasher.finish() }
    }
}
