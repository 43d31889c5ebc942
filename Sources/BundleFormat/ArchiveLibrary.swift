import CArchive
import LinuxSystem

/// libarchive, opened when it is first needed.
enum ArchiveLibrary {
    /// What is missing, for a person; `nil` when it is there.
    private static let problem: String? = {
        var text = [CChar](repeating: 0, count: 512)
        let status = text.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { hf_archive_load($0, buffer.count) } ?? -1
        }
        return status == 0 ? nil : String(fromC: text)
    }()

    static func open() throws(BundleError) {
        guard let problem else { return }
        throw BundleError(.libraryUnavailable, problem)
    }
}

extension String {
    /// Text that ends with a NUL.
    init(fromC text: [CChar]) {
        self.init(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// How an archive is compressed.
package enum BundleCompression: String, CaseIterable, Sendable {
    case zstandard = "tar.zst"
    case gzip = "tar.gz"

    /// By the first bytes of a file.
    init?(magic: [UInt8]) {
        if magic.starts(with: ZstandardWindow.magic) {
            self = .zstandard
        } else if magic.starts(with: [0x1f, 0x8b]) {
            self = .gzip
        } else {
            return nil
        }
    }

    var library: hf_compression {
        switch self {
        case .zstandard: HF_ZSTD
        case .gzip: HF_GZIP
        }
    }
}
