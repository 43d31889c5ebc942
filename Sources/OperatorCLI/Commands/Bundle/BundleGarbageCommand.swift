import ArgumentParser
import BundleFormat
import BundleStore
import ControlProtocol

struct BundleGarbageCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Remove files that no version has any more.",
        discussion: "They are left by an interruption. Making room for a new bundle does this, too.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    private enum Key: String {
        case objects
        case freed = "freed_bytes"
    }

    func perform(on console: Console) throws {
        let store = try BundleFiles.open(self.store.store)
        let garbage = try BundleFiles.about(self.store.store) { () throws(BundleError) in try store.collectGarbage() }
        if output.json { return try console.print(.object([Key.objects: garbage.objects, .freed: garbage.bytes])) }
        let files = garbage.objects == 1 ? "1 file" : "\(garbage.objects) files"
        try console.print("removed \(files), \(ByteText.compact(garbage.bytes))")
    }
}
