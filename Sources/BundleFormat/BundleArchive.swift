import CArchive
import LinuxSystem
package import Trust

/// A bundle being read: its manifest, then each file, checked against it as it comes. Memory stays the same however large it
/// is, and nothing is taken that the manifest does not declare. It writes nothing.
package final class BundleArchive {
    package enum Entry: Equatable, Sendable {
        case file(BundleFile)
        case link(BundleLink)
    }

    package let manifest: BundleManifest
    /// The manifest as it stands there.
    package let manifestBytes: [UInt8]

    private let source: ArchiveSource
    private let unpack: OpaquePointer
    private let expected: SHA256Digest?
    private let hasher: SHA256Hasher
    private var places: [String: Place] = [:]
    private var seen: Set<String> = []
    /// The file whose content comes now, and how much of it is left.
    private var current: (file: BundleFile, left: Int)?

    private enum Place {
        case file(Int)
        case link(Int)
    }

    /// Reads the manifest.
    /// - Parameters:
    ///   - descriptor: of a regular file. It stays open, and the caller's, for as long as this is in use.
    ///   - expected: the hash of the whole archive as it was signed; looked at when the last entry has been read. `nil` for
    ///     one that nobody has signed yet.
    package init(_ descriptor: Int32, expecting expected: SHA256Digest?) throws(BundleError) {
        try ArchiveLibrary.open()
        let magic = try BundleError.system { () throws(SystemError) in try Self.beginning(of: descriptor) }
        guard let compression = BundleCompression(magic: magic) else {
            throw BundleError(.notABundle, "it is neither a .tar.zst nor a .tar.gz; holdfast bundle pack makes one")
        }
        self.expected = expected
        source = try ArchiveSource(descriptor: descriptor, isZstandard: compression == .zstandard)
        hasher = try BundleError.trust { () throws(TrustError) in try SHA256Hasher() }
        unpack = try Self.begin(source, compression)
        do throws(BundleError) {
            manifestBytes = try Self.manifestBytes(unpack, source)
            manifest = try BundleManifest(parsing: manifestBytes)
        } catch {
            hf_unpack_free(unpack)
            throw error
        }
        for (index, file) in manifest.files.enumerated() { places[file.path] = .file(index) }
        for (index, link) in manifest.links.enumerated() { places[link.path] = .link(index) }
    }

    deinit { hf_unpack_free(unpack) }

    /// Length and hash of a whole archive, without looking into it: for a signature, before anything is unpacked.
    package static func digest(of descriptor: Int32) throws(BundleError) -> (length: Int, sha256: SHA256Digest) {
        let source = try ArchiveSource(descriptor: descriptor, isZstandard: false)
        let digest = try source.finish()
        return (source.count, digest)
    }

    private static func beginning(of descriptor: Int32) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 4)
        let result = bytes.withUnsafeMutableBytes { buffer in
            Result { () throws(SystemError) in try SystemCall.read(descriptor, into: buffer, at: 0) }
        }
        return Array(bytes.prefix(try result.get()))
    }

    private static func begin(
        _ source: ArchiveSource, _ compression: BundleCompression
    ) throws(BundleError) -> OpaquePointer {
        var problem = [CChar](repeating: 0, count: 512)
        let callback = hf_archive_source(
            context: Unmanaged.passUnretained(source).toOpaque(),
            read: { context, bytes in
                guard let context else { return -1 }
                let source = Unmanaged<ArchiveSource>.fromOpaque(context).takeUnretainedValue()
                guard let piece = source.next() else { return -1 }
                bytes.pointee = piece.baseAddress
                return Int64(piece.count)
            })
        let unpack = problem.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { hf_unpack_begin(callback, compression.library, $0, buffer.count) }
        }
        guard let unpack else {
            throw source.failure ?? BundleError(.damaged, "it cannot be unpacked: \(String(fromC: problem))")
        }
        return unpack
    }

    private static func failure(_ unpack: OpaquePointer, _ source: ArchiveSource) -> BundleError {
        source.failure
            ?? BundleError(.damaged, "it is damaged or truncated: \(String(cString: hf_unpack_problem(unpack)))")
    }

    private static func manifestBytes(
        _ unpack: OpaquePointer, _ source: ArchiveSource
    ) throws(BundleError) -> [UInt8] {
        var entry = hf_entry()
        let status = hf_unpack_next(unpack, &entry)
        guard status >= 0 else { throw failure(unpack, source) }
        guard status == 1, entry.type == HF_ENTRY_FILE,
            entry.path.map({ String(cString: $0) }) == BundleManifest.fileName
        else { throw BundleError(.manifestMissing, "its first entry is not \(BundleManifest.fileName)") }
        guard entry.size >= 0, entry.size <= BundleLimits.manifest else {
            throw BundleError(.tooLarge, "its manifest has more than \(BundleLimits.manifest) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: Int(entry.size))
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                buffer.baseAddress.map { hf_unpack_data(unpack, $0 + done, buffer.count - done) } ?? -1
            }
            guard count > 0 else { throw failure(unpack, source) }
            done += Int(count)
        }
        return bytes
    }

    // MARK: Entries

    /// The next entry; `nil` when everything that is declared has come, and nothing else. What is left of the file before is
    /// read and judged first.
    package func next() throws(BundleError) -> Entry? {
        try finishCurrent()
        var entry = hf_entry()
        let status = hf_unpack_next(unpack, &entry)
        guard status >= 0 else { throw Self.failure(unpack, source) }
        guard status == 1 else {
            try finishArchive()
            return nil
        }
        return try judge(entry)
    }

    private func judge(_ entry: hf_entry) throws(BundleError) -> Entry {
        let path = entry.path.map { String(cString: $0) } ?? ""
        guard BundlePath.isSafe(path) else {
            throw BundleError(.unsafePath, "an entry has the path \(path.prefix(80).debugDescription)")
        }
        switch entry.type {
        case HF_ENTRY_FILE, HF_ENTRY_LINK: break
        case HF_ENTRY_HARD_LINK: throw BundleError(.hardLink, "\(path) is a hard link")
        default: throw BundleError(.specialFile, "\(path) is neither a file nor a link")
        }
        guard let place = places[path] else {
            throw BundleError(.undeclared, "\(path) is not in the manifest")
        }
        guard seen.insert(path).inserted else { throw BundleError(.duplicate, "\(path) is there twice") }
        switch (place, entry.type) {
        case (.file(let index), HF_ENTRY_FILE): return try judge(entry, as: manifest.files[index])
        case (.link(let index), HF_ENTRY_LINK):
            let link = manifest.links[index]
            guard let target = entry.target, String(cString: target) == link.target else {
                throw BundleError(.wrongLink, "\(path) leads elsewhere than the manifest says")
            }
            return .link(link)
        default: throw BundleError(.wrongLink, "\(path) is a link in one place, and a file in the other")
        }
    }

    private func judge(_ entry: hf_entry, as file: BundleFile) throws(BundleError) -> Entry {
        guard entry.mode & ~0o777 == 0 else {
            throw BundleError(.specialMode, "\(file.path) has the mode \(String(entry.mode, radix: 8))")
        }
        guard entry.mode == file.mode else {
            throw BundleError(
                .wrongMode,
                "\(file.path) has the mode \(String(entry.mode, radix: 8)), and the manifest says \(String(file.mode, radix: 8))"
            )
        }
        guard entry.size == file.size else {
            throw BundleError(.wrongSize, "\(file.path) has \(entry.size) bytes, and the manifest says \(file.size)")
        }
        current = (file, file.size)
        return .file(file)
    }

    /// Reads on in the file that came last.
    /// - Returns: how many bytes; 0 at its end, and then it has the content that the manifest says.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(BundleError) -> Int {
        guard let (file, left) = current, let start = buffer.baseAddress else { return 0 }
        let count = Int(hf_unpack_data(unpack, start, buffer.count))
        guard count >= 0 else { throw Self.failure(unpack, source) }
        guard count <= left, count > 0 || left == 0 else {
            throw BundleError(.wrongSize, "\(file.path) has another size than its entry says")
        }
        try BundleError.trust { () throws(TrustError) in
            try hasher.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
        current = (file, left - count)
        guard count == 0 else { return count }
        current = nil
        guard try BundleError.trust({ () throws(TrustError) in try hasher.finish() }) == file.sha256 else {
            throw BundleError(.wrongHash, "\(file.path) has another content than the manifest says")
        }
        return 0
    }

    private func finishCurrent() throws(BundleError) {
        guard current != nil else { return }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        while try read(into: buffer) > 0 {}
    }

    private func finishArchive() throws(BundleError) {
        let missing = places.keys.filter { !seen.contains($0) }.sorted()
        if let first = missing.first {
            let others = missing.count == 1 ? "" : " and \(missing.count - 1) more"
            throw BundleError(.missing, "\(first)\(others) of the manifest is not in the archive")
        }
        // Bytes behind the last entry are part of what was signed.
        let digest = try source.finish()
        guard let expected, digest != expected else { return }
        throw BundleError(.wrongArchive, "the archive is not the one that was signed (SHA-256 \(digest))")
    }
}
