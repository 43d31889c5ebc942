import ControlProtocol
import LinuxSystem
package import Trust

/// Makes a bundle of a folder. The folder has a manifest.json, in which `files` and `links` are filled in.
package struct BundlePacker {
    package let manifest: BundleManifest
    private let folder: String
    private let manifestBytes: [UInt8]

    /// Reads everything once, to hash it.
    package init(folder: String) throws(BundleError) {
        self.folder = folder
        var author = try Self.author(folder)
        var walk = FolderWalk(folder)
        try walk.run()
        author["files"] = .array(walk.files.map(\.json))
        if !walk.links.isEmpty { author["links"] = .array(walk.links.map(\.json)) }
        manifestBytes = JSONValue.object(author).serialised() + [UInt8(ascii: "\n")]
        manifest = try BundleManifest(parsing: manifestBytes)
    }

    /// What stands in the folder's own manifest.
    private static func author(_ folder: String) throws(BundleError) -> JSONObject {
        let path = "\(folder)/\(BundleManifest.fileName)"
        let bytes = try BundleError.system { () throws(SystemError) in
            try SystemCall.readFile(path, limit: BundleLimits.manifest + 1)
        }
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue.parse(bytes, limits: JSONLimits(maximumBytes: BundleLimits.manifest, maximumDepth: 12))
        } catch {
            throw BundleError(.manifestInvalid, "\(path) is no valid JSON", problems: [error.description])
        }
        guard case .object(let object) = json else {
            throw BundleError(.manifestInvalid, "\(path) is \(json.kindInWords), and not an object")
        }
        return object
    }

    /// Writes the archive. Reads everything again, and fails when a file has changed since.
    /// - Parameter descriptor: of an empty file.
    package func write(to descriptor: Int32, _ compression: BundleCompression) throws(BundleError) {
        let writer = try BundleWriter(descriptor, compression)
        try writer.begin(BundleManifest.fileName, mode: 0o644, size: manifestBytes.count)
        try manifestBytes.withUnsafeBufferPointer { (bytes) throws(BundleError) in
            try writer.add(UnsafeRawBufferPointer(bytes))
        }
        for link in manifest.links { try writer.addLink(link.path, target: link.target) }
        for file in manifest.files {
            try writer.begin(file.path, mode: file.mode, size: file.size)
            var left = file.size
            let digest = try FileContent.digest(of: "\(folder)/\(file.path)") { (bytes) throws(BundleError) in
                // More than was said has no place in the archive; the hash shows it.
                let part = bytes.prefix(left)
                left -= part.count
                try writer.add(UnsafeRawBufferPointer(rebasing: part))
            }
            guard digest == file.sha256 else {
                throw BundleError(.unpackable, "\(folder)/\(file.path) was changed while it was packed; pack again")
            }
        }
        try writer.finish()
    }
}

/// What is in a folder, sorted by its paths.
private struct FolderWalk {
    private let folder: String
    private(set) var files: [BundleFile] = []
    private(set) var links: [BundleLink] = []

    init(_ folder: String) { self.folder = folder }

    mutating func run() throws(BundleError) {
        try walk("", depth: 0)
        files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        links.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private mutating func walk(_ prefix: String, depth: Int) throws(BundleError) {
        guard depth < 64, files.count <= BundleLimits.files else {
            throw BundleError(.unpackable, "\(folder) has too many files or folders for a bundle")
        }
        let place = prefix.isEmpty ? folder : "\(folder)/\(prefix)"
        for name in try BundleError.system({ () throws(SystemError) in try SystemCall.names(inDirectory: place) }) {
            let path = prefix.isEmpty ? name : "\(prefix)/\(name)"
            guard path != BundleManifest.fileName else { continue }
            let status = try BundleError.system { () throws(SystemError) in
                try SystemCall.status(of: "\(folder)/\(path)", followingLinks: false)
            }
            switch status.kind {
            case .directory: try walk(path, depth: depth + 1)
            case .regular:
                files.append(
                    BundleFile(
                        path: path, size: Int(status.size), isExecutable: status.mode & 0o100 != 0,
                        sha256: try FileContent.digest(of: "\(folder)/\(path)")))
            case .symbolicLink:
                let target = try BundleError.system { () throws(SystemError) in
                    try SystemCall.linkTarget("\(folder)/\(path)")
                }
                links.append(BundleLink(path: path, target: target))
            default: throw BundleError(.unpackable, "\(folder)/\(path) is neither a file, a folder nor a link")
            }
        }
    }
}

/// Reads files from one end to the other.
package enum FileContent {
    /// The hash of a file's content.
    /// - Parameter visit: called with each piece.
    package static func digest(
        of path: String, _ visit: (UnsafeRawBufferPointer) throws(BundleError) -> Void = { (_) throws(BundleError) in }
    ) throws(BundleError) -> SHA256Digest {
        let file = try BundleError.system { () throws(SystemError) in try SystemCall.open(path, [.readOnly, .noFollow])
        }
        let hasher = try BundleError.trust { () throws(TrustError) in try SHA256Hasher() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        var offset: Int64 = 0
        while true {
            let count: Int
            do throws(SystemError) {
                count = try SystemCall.read(file.rawValue, into: buffer, at: offset)
            } catch {
                throw BundleError(error.about(path))
            }
            if count == 0 { break }
            offset += Int64(count)
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            try BundleError.trust { () throws(TrustError) in try hasher.add(piece) }
            try visit(piece)
        }
        return try BundleError.trust { () throws(TrustError) in try hasher.finish() }
    }
}
