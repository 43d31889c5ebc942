import CTransfer

/// Compresses piece by piece (RFC 1952). The libraries have to be loaded.
struct Gzip: ~Copyable {
    private let handle: OpaquePointer
    private var hasFailed = false

    init?() {
        guard let handle = hf_gzip_begin() else { return nil }
        self.handle = handle
    }

    deinit { hf_gzip_free(handle) }

    mutating func add(_ bytes: [UInt8]) {
        if hf_gzip_add(handle, bytes, bytes.count) != 0 { hasFailed = true }
    }

    /// `nil` when there was no memory.
    consuming func end() -> [UInt8]? {
        var count = 0
        guard !hasFailed, let bytes = hf_gzip_end(handle, &count) else { return nil }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}
