/// What a bundle may have at most. Part of the format: docs/bundle-format.md.
package enum BundleLimits {
    /// Of the manifest, in bytes.
    package static let manifest = 8 << 20
    /// Of lists and objects within each other in it.
    static let manifestDepth = 12
    package static let files = 32_768
    static let links = 4096
    /// Of one file, and of all together, in bytes.
    package static let content = 16 << 30
    /// Of the archive, in bytes.
    package static let archive = 16 << 30
    static let pathBytes = 512
    static let pathComponentBytes = 255
    static let pathDepth = 32
    /// Of workers, of supervisors, of models.
    static let children = 256
    static let arguments = 256
    static let textBytes = 4096
    /// More problems than this are not listed.
    static let problems = 50
    /// What a reader keeps of what it has unpacked, in bytes: the memory that a zstd frame may ask for.
    static let window = 8 << 20
}
