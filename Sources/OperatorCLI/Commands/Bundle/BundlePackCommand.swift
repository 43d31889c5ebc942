import ArgumentParser
import BundleFormat
import ControlProtocol

struct BundlePackCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack", abstract: "Make a bundle of a folder.",
        discussion: """
            The folder has a manifest.json; files and links are filled in from what else is there. Everything that is wrong \
            with it is said at once. The same folder gives the same bytes.
            """)

    @Argument(help: ArgumentHelp("The folder.", valueName: "folder"), completion: .directory)
    var folder: String
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Where it goes. (default: NAME-VERSION.tar.zst)", valueName: "file"))
    var file: String?
    @Flag(name: .long, help: "Compress by gzip instead of zstd.")
    var gzip = false
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let folder = self.folder.count > 1 && self.folder.hasSuffix("/") ? String(self.folder.dropLast()) : self.folder
        let packer = try BundleFiles.about(folder) { () throws(BundleError) in try BundlePacker(folder: folder) }
        let compression: BundleCompression = gzip || file?.hasSuffix(".gz") ?? false ? .gzip : .zstandard
        let manifest = packer.manifest
        let path = file ?? "\(manifest.name)-\(manifest.version).\(compression.rawValue)"
        try BundleFiles.write(path) { (descriptor) throws(BundleError) in try packer.write(to: descriptor, compression)
        }
        let view = try BundleFiles.withFile(path) { (descriptor) throws(BundleError) in
            try BundleView(path: path, manifest: manifest, archive: BundleArchive.digest(of: descriptor))
        }
        if output.json { return try console.print(view.json) }
        try console.print(view.summary(console.palette, verb: "packed"))
    }
}
