import ArgumentParser
import BundleFormat
import ControlProtocol
import LinuxSystem
import Trust

struct BundleSignCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign", abstract: "Sign bundles: add them to the targets metadata.",
        discussion: """
            Each archive is read to its end and judged first. Its name, length and hash go into the targets file (one is made \
            when there is none), whose version counts up; signatures of other keys go, for they are of something else. \
            Without an archive, the file gets one more signature and stays as it is: so a second key signs.
            """)

    @Argument(help: ArgumentHelp("Archives.", valueName: "file"), completion: .file())
    var archives: [String] = []
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The targets file. (default: \(BundleFiles.targetsName) beside the first archive)", valueName: "file"))
    var targets: String?
    @OptionGroup var signing: SigningOptions
    @OptionGroup var expiry: ExpiryOptions
    @OptionGroup var output: OutputOptions

    private static let defaultDays = 365

    private enum Key: String { case file, version, expires, signatures, targets }

    func perform(on console: Console) throws {
        let path = targets ?? BundleFiles.targets(beside: archives.first ?? "")
        var envelope = try envelope(path)
        for key in try signing.keys(on: console) {
            try BundleFiles.trust(path) { () throws(TrustError) in
                try envelope.sign(by: key, as: key.publicKey.keyID())
            }
        }
        try BundleFiles.write(path, envelope.bytes)
        let metadata = try BundleFiles.trust(path) { () throws(TrustError) in try TargetsMetadata(unverified: envelope)
        }
        let header = metadata.header
        if output.json {
            return try console.print(
                .object([
                    Key.file: path, .version: header.version, .expires: header.expires.description,
                    .signatures: envelope.signatures.count, .targets: metadata.files.keys.sorted(),
                ]))
        }
        let count = envelope.signatures.count == 1 ? "1 key" : "\(envelope.signatures.count) keys"
        try console.print(
            [
                "\(console.palette(.heading, path)) is version \(header.version), signed by \(count), and holds until \(header.expires)"
            ]
                + archives.map { "  signed  \(BundleFiles.name(of: $0))" })
    }

    /// What is to be signed, with the signatures that hold for it.
    private func envelope(_ path: String) throws(CommandError) -> SignedEnvelope {
        let isThere = (try? SystemCall.status(of: path)) != nil
        guard isThere || !archives.isEmpty else {
            throw CommandError(
                code: .usage, message: "\(path) is not there, and no archive is given: what is to be signed?")
        }
        var metadata = TargetsMetadata(version: 0, expires: ExpiryTime(seconds: 0))
        if isThere {
            let bytes = try BundleFiles.read(path, limit: TargetsMetadata.largestFile)
            let old = try BundleFiles.trust(path) { () throws(TrustError) in
                try SignedEnvelope(parsing: bytes, limit: TargetsMetadata.largestFile)
            }
            if archives.isEmpty { return old }
            metadata = try BundleFiles.trust(path) { () throws(TrustError) in try TargetsMetadata(unverified: old) }
        }
        for archive in archives {
            let target = try BundleFiles.withFile(archive) { (descriptor) throws(BundleError) in
                try BundleManifest.target(for: descriptor)
            }
            metadata.set(BundleFiles.name(of: archive), target.file)
        }
        metadata.header.version += 1
        metadata.header.expires = try expiry.expiry(default: Self.defaultDays)
        let json = metadata.json
        return try BundleFiles.trust(path) { () throws(TrustError) in try SignedEnvelope(signing: json) }
    }
}
