import ArgumentParser
import BundleFormat
import BundleStore
import ControlProtocol

struct BundleInstallCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "install", abstract: "Check a bundle and unpack it into a store, beside what is there.",
        discussion: """
            Signatures and requirements are judged first, then the archive is unpacked, and read back from the disk. With \
            --activate it becomes the current version at once, and one to go back to; there is no probation by hand.
            """)

    @Argument(help: ArgumentHelp("The archive.", valueName: "file"), completion: .file())
    var archive: String
    @Flag(name: .long, help: "Make it the current version.")
    var activate = false
    @Option(name: .long, help: ArgumentHelp("What this device is, for bundles that require it.", valueName: "name"))
    var hardware: String?
    @OptionGroup var trust: TrustOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    private enum Key: String {
        case bundle, version, current
        case wasThere = "was_there"
        case newFiles = "new_files"
        case newBytes = "new_bytes"
        case sharedFiles = "shared_files"
        case sharedBytes = "shared_bytes"
    }

    func perform(on console: Console) throws {
        let admission = try trust.admission(for: archive)
        let store = try BundleFiles.open(self.store.store)
        let report = try BundleFiles.withFile(archive) { (descriptor) throws(BundleError) in
            let content = try admission.open(BundleFiles.name(of: archive), descriptor)
            try content.manifest.requirements.check(hardware: hardware)
            let report = try store.stage(content)
            let verified = try store.verifyTree(report.bundle, report.identifier)
            guard activate else { return report }
            try store.activate(verified)
            try store.commit(report.bundle, report.identifier)
            return report
        }
        let current = try BundleFiles.about(self.store.store) { () throws(BundleError) in
            try store.current(of: report.bundle)
        }
        if output.json {
            return try console.print(
                .object([
                    Key.bundle: report.bundle, .version: report.identifier, .current: current == report.identifier,
                    .wasThere: report.wasThere, .newFiles: report.newFiles, .newBytes: report.newBytes,
                    .sharedFiles: report.sharedFiles, .sharedBytes: report.sharedBytes,
                ]))
        }
        let state = current == report.identifier ? "current" : "staged"
        var lines = [
            "\(console.palette(.heading, report.bundle)) \(report.identifier) is \(console.palette(.good, state))"
        ]
        if report.wasThere {
            lines.append("  it was there already, and every byte of it is right")
        } else {
            lines.append("  new     \(ByteText.compact(report.newBytes)) in \(Self.count(report.newFiles))")
            lines.append("  shared  \(ByteText.compact(report.sharedBytes)) in \(Self.count(report.sharedFiles))")
        }
        try console.print(lines)
    }

    private static func count(_ files: Int) -> String { files == 1 ? "1 file" : "\(files) files" }
}
