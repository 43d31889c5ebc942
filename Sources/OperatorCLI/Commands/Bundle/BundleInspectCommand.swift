import ArgumentParser
import BundleFormat
import ControlProtocol

struct BundleInspectCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show what is in a bundle, whoever has signed it or not.",
        discussion: "Reads all of it, and says what is wrong. A signature is not looked at: see verify.")

    @Argument(help: ArgumentHelp("The archive.", valueName: "file"), completion: .file())
    var archive: String
    @Flag(name: .long, help: "List every file.")
    var files = false
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let view = try BundleFiles.withFile(archive) { (descriptor) throws(BundleError) in
            let digest = try BundleArchive.digest(of: descriptor)
            let content = try BundleArchive(descriptor, expecting: digest.sha256)
            while try content.next() != nil {}
            return BundleView(path: archive, manifest: content.manifest, archive: digest)
        }
        if output.json { return try console.print(view.json) }
        try console.print(view.lines(console.palette, listsFiles: files))
    }
}
