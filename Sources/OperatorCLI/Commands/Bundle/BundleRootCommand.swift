import ArgumentParser
import BundleFormat
import ControlProtocol
import Trust

struct BundleRootCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "root", abstract: "Make the root that devices trust: which keys have to sign for what.",
        discussion: """
            Devices get this file once, by a way that is trusted, as \(BundleFiles.defaultRoot). It is signed by the root \
            keys themselves. With a threshold of 2, two of the keys have to sign, and one that is lost or stolen is no disaster.
            """)

    @Option(name: .long, help: ArgumentHelp("A public key for the root itself; may be repeated.", valueName: "file"))
    var rootKey: [String] = []
    @Option(name: .long, help: ArgumentHelp("A public key that signs bundles; may be repeated.", valueName: "file"))
    var targetsKey: [String] = []
    @Option(name: .long, help: ArgumentHelp("How many root keys have to sign.", valueName: "count"))
    var rootThreshold = 1
    @Option(name: .long, help: ArgumentHelp("How many keys have to sign a bundle.", valueName: "count"))
    var targetsThreshold = 1
    @Option(name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("Where it goes.", valueName: "file"))
    var file = "root.json"
    @OptionGroup var signing: SigningOptions
    @OptionGroup var expiry: ExpiryOptions
    @OptionGroup var output: OutputOptions

    private static let defaultDays = 3650

    private enum Key: String { case file, version, expires, keys }

    func perform(on console: Console) throws {
        guard rootThreshold >= 1, rootThreshold <= rootKey.count, targetsThreshold >= 1,
            targetsThreshold <= targetsKey.count
        else {
            throw CommandError(
                code: .usage,
                message: "each threshold is at least 1, and at most the number of --root-key and --targets-key")
        }
        var keys: [KeyID: PublicKey] = [:]
        let rootIDs = try rootKey.map { try add($0, to: &keys) }
        let targetIDs = try targetsKey.map { try add($0, to: &keys) }
        guard Set(rootIDs).count == rootIDs.count, Set(targetIDs).count == targetIDs.count else {
            throw CommandError(code: .usage, message: "one key is given twice for one role; it would count once")
        }
        let expires = try expiry.expiry(default: Self.defaultDays)
        let root = RootMetadata(
            header: MetadataHeader(type: "root", version: 1, expires: expires), keys: keys,
            roles: [
                .root: RootMetadata.Role(keyIDs: rootIDs, threshold: rootThreshold),
                .targets: RootMetadata.Role(keyIDs: targetIDs, threshold: targetsThreshold),
                // Keys of central, which come with a later root.
                .snapshot: RootMetadata.Role(keyIDs: [], threshold: 1),
                .timestamp: RootMetadata.Role(keyIDs: [], threshold: 1),
            ])
        var envelope = try BundleFiles.trust(file) { () throws(TrustError) in try SignedEnvelope(signing: root.json) }
        for key in try signing.keys(on: console) {
            guard let id = root.ring(.root).keyID(of: key.publicKey) else {
                throw CommandError(code: .usage, message: "a --key is none of the --root-key; only those sign the root")
            }
            try BundleFiles.trust(file) { () throws(TrustError) in try envelope.sign(by: key, as: id) }
        }
        let bytes = envelope.bytes
        _ = try BundleFiles.trust(file) { () throws(TrustError) in try TrustedRoot(trusting: bytes) }
        try BundleFiles.write(file, bytes)
        if output.json {
            return try console.print(
                .object([Key.file: file, .version: 1, .expires: expires.description, .keys: keys.keys.sorted()]))
        }
        try console.print([
            "made \(console.palette(.heading, file)), version 1, which holds until \(expires)",
            "  root     \(rootThreshold) of \(rootIDs.count) keys",
            "  targets  \(targetsThreshold) of \(targetIDs.count) keys",
            "Put it on each device as \(BundleFiles.defaultRoot).",
        ])
    }

    private func add(_ file: String, to keys: inout [KeyID: PublicKey]) throws(CommandError) -> KeyID {
        let text = String(decoding: try BundleFiles.read(file, limit: 16 * 1024), as: UTF8.self)
        let key = try BundleFiles.trust(file) { () throws(TrustError) in try PublicKey(pem: text) }
        let id = try BundleFiles.trust(file) { () throws(TrustError) in try key.keyID() }
        keys[id] = key
        return id
    }
}
