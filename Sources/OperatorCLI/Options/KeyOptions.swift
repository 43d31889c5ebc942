import ArgumentParser
import LinuxSystem
import BundleFormat
import Trust

/// Where the passphrase of a key comes from.
struct PassphraseOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "A file whose first line is the passphrase; without it the terminal is asked.", valueName: "file"),
        completion: .file())
    var passphraseFile: String?

    private static let longest = 1024

    /// - Parameter isNew: it is asked for twice.
    func passphrase(for file: String, isNew: Bool = false, on console: Console) throws(CommandError) -> String {
        let text: String
        if let passphraseFile {
            let bytes = try BundleFiles.read(passphraseFile, limit: Self.longest)
            text = String(decoding: bytes.prefix { $0 != 10 && $0 != 13 }, as: UTF8.self)
        } else {
            guard console.surroundings.isInputTerminal else {
                throw CommandError(
                    code: .usage,
                    message: "\(file): a passphrase is needed, and there is no terminal; use --passphrase-file")
            }
            text = try Self.ask("Passphrase for \(file): ", console)
            if isNew, try Self.ask("Again: ", console) != text {
                throw CommandError(code: .usage, message: "the two passphrases differ; no key was made")
            }
        }
        guard !text.isEmpty, !text.utf8.contains(0) else {
            throw CommandError(
                code: .usage, message: "the passphrase is empty; --no-passphrase makes a key without one")
        }
        return text
    }

    private static func ask(_ question: String, _ console: Console) throws(CommandError) -> String {
        do throws(SystemError) {
            let input = try RawTerminalInput(0)
            defer { withExtendedLifetime(input) {} }
            try console.write(question)
            defer { try? console.write("\n") }
            var bytes: [UInt8] = []
            while true {
                let key = try key()
                switch key {
                case nil, 3, 4: throw SystemError(call: "read", errno: SystemError.brokenPipe)
                case 10, 13: return String(decoding: bytes, as: UTF8.self)
                case 8, 127: if !bytes.isEmpty { bytes.removeLast() }
                case let byte?: if bytes.count < longest { bytes.append(byte) }
                }
            }
        } catch {
            throw CommandError(code: .failed, message: "no passphrase was given")
        }
    }

    private static func key() throws(SystemError) -> UInt8? {
        var byte: UInt8 = 0
        let result = withUnsafeMutableBytes(of: &byte) { buffer in
            Result { () throws(SystemError) in try SystemCall.read(0, into: buffer).value ?? 0 }
        }
        return try result.get() > 0 ? byte : nil
    }
}

/// Private keys that sign.
struct SigningOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("A private key that signs; may be repeated.", valueName: "file"), completion: .file())
    var key: [String] = []

    @OptionGroup var passphrase: PassphraseOptions

    func keys(on console: Console) throws(CommandError) -> [SigningKey] {
        guard !key.isEmpty else { throw CommandError(code: .usage, message: "--key FILE is needed: who signs?") }
        var keys: [SigningKey] = []
        for file in key {
            let pem = try BundleFiles.read(file, limit: 16 * 1024)
            do throws(TrustError) {
                keys.append(try SigningKey.parse(pem: pem, passphrase: nil))
            } catch {
                guard error.code == .passphraseNeeded else { throw CommandError(BundleError(error), about: file) }
                let text = try passphrase.passphrase(for: file, on: console)
                keys.append(
                    try BundleFiles.trust(file) { () throws(TrustError) in
                        try SigningKey.parse(pem: pem, passphrase: text)
                    })
            }
        }
        return keys
    }
}

/// How long something signed holds.
struct ExpiryOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("For how many days the signatures hold, from now on.", valueName: "days"))
    var days: Int?

    func expiry(default fallback: Int) throws(CommandError) -> ExpiryTime {
        let days = days ?? fallback
        guard days >= 1, days <= 36_500 else {
            throw CommandError(code: .usage, message: "--days: 1 to 36500 are allowed")
        }
        return ExpiryTime(seconds: WallClock.microseconds() / 1_000_000 + Int64(days) * 86_400)
    }
}
