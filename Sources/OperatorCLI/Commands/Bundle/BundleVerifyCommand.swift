import ArgumentParser
import BundleFormat
import ControlProtocol

struct BundleVerifyCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Say whether a device would take a bundle: signatures and every byte of it.")

    @Argument(help: ArgumentHelp("The archive.", valueName: "file"), completion: .file())
    var archive: String
    @OptionGroup var trust: TrustOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let admission = try trust.admission(for: archive)
        let view = try BundleFiles.withFile(archive) { (descriptor) throws(BundleError) in
            let content = try admission.open(BundleFiles.name(of: archive), descriptor)
            while try content.next() != nil {}
            return try BundleView(
                path: archive, manifest: content.manifest, archive: BundleArchive.digest(of: descriptor))
        }
        if output.json { return try console.print(view.json) }
        try console.print(view.summary(console.palette, verb: "verified"))
    }
}
