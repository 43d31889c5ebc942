import BundleFormat
import Trust

/// Where what lies in a store.
enum StorePaths {
    static let objects = "objects"
    static let staging = "staging"
    /// Archives on their way to the device, and the metadata that they are judged by.
    static let downloads = "downloads"
    /// Of `DirectoryLock`.
    static let lock = "lock"
    /// Besides the folders of bundles.
    static let ours = [objects, staging, downloads, lock]

    static func versions(_ bundle: String) -> String { "\(bundle)/versions" }
    static func version(_ bundle: String, _ identifier: String) -> String { "\(bundle)/versions/\(identifier)" }
    static func current(_ bundle: String) -> String { "\(bundle)/current" }
    /// A link that is about to become `current`.
    static func next(_ bundle: String) -> String { "\(bundle)/next" }
    /// What `current` leads to.
    static func currentTarget(_ identifier: String) -> String { "versions/\(identifier)" }
    static func marks(_ bundle: String) -> String { "\(bundle)/good" }
    static func mark(_ bundle: String, _ identifier: String) -> String { "\(bundle)/good/\(identifier)" }

    /// What a deployment has to know after a power cut.
    static func deployment(_ bundle: String) -> String { "\(bundle)/deployment.json" }
    static func nextDeployment(_ bundle: String) -> String { "\(bundle)/deployment.new" }

    static let files = "files"
    static let tree = "tree.toml"

    /// Of the pool. A file that is executable and one that is not are two objects: they share nothing but their content.
    static func object(_ file: BundleFile) -> String {
        let hex = file.sha256.hex
        return "\(objects)/\(hex.prefix(2))/\(hex.dropFirst(2))\(file.isExecutable ? ".x" : "")"
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[..<slash])
    }
}

extension BundleFile {
    /// Nobody writes to what is stored.
    var storedMode: UInt32 { isExecutable ? 0o555 : 0o444 }
}
