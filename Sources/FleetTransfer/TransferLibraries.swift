import CTransfer

/// libcurl, OpenSSL and zlib, which are opened when there is a central to talk to.
package enum TransferLibraries {
    /// Opens them; again after a success it does nothing.
    /// - Returns: what is missing, for a person, or `nil`.
    package static func load() -> String? {
        var problem = [CChar](repeating: 0, count: 512)
        guard hf_transfer_load(&problem, problem.count) == 0 else {
            return String(decoding: problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        return nil
    }
}
