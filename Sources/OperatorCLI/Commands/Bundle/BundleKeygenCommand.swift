import ArgumentParser
import ControlProtocol
import Trust

struct BundleKeygenCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "keygen", abstract: "Make a key pair to sign with.",
        discussion: """
            The private half (Ed25519, PKCS #8 under the passphrase) goes into the file, the public one into the same with \
            .pub behind it. Keep the private ones where devices and servers cannot reach them.
            """)

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The private key's file; it must not be there.", valueName: "file"))
    var file: String

    @Flag(
        name: .long,
        help: "Leave the private key unencrypted: for tests, and for keys inside of something that encrypts.")
    var noPassphrase = false

    @OptionGroup var passphrase: PassphraseOptions
    @OptionGroup var output: OutputOptions

    private enum Key: String { case keyID = "keyid", privateKey = "private_key", publicKey = "public_key" }

    func perform(on console: Console) throws {
        let text = noPassphrase ? nil : try passphrase.passphrase(for: file, isNew: true, on: console)
        let key = try BundleFiles.trust(file) { () throws(TrustError) in try SigningKey.generate() }
        let pem = try BundleFiles.trust(file) { () throws(TrustError) in try key.pem(passphrase: text) }
        let id = try BundleFiles.trust(file) { () throws(TrustError) in try key.publicKey.keyID() }
        let publicFile = "\(file).pub"
        try BundleFiles.write(file, Array(pem.utf8), permissions: 0o600, replaces: false)
        try BundleFiles.write(publicFile, Array((key.publicKey.pem ?? "").utf8))
        if output.json {
            return try console.print(.object([Key.keyID: id, .privateKey: file, .publicKey: publicFile]))
        }
        try console.print([
            "made the key \(console.palette(.heading, String(id.prefix(16))))",
            "  private  \(file)\(text == nil ? "  (not encrypted)" : "")", "  public   \(publicFile)",
        ])
    }
}
