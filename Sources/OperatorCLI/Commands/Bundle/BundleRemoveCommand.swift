import ArgumentParser
import BundleFormat
import BundleStore
import ControlProtocol

struct BundleRemoveCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a version, and the files that no other has.",
        discussion: "The current version stays, and so do two good ones.")

    @Argument(help: ArgumentHelp("The bundle.", valueName: "name"))
    var bundle: String
    @Argument(
        help: ArgumentHelp(
            "The version as list shows it; the part before @ is enough when one has it.", valueName: "version"))
    var version: String
    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    private enum Key: String {
        case bundle, version
        case freed = "freed_bytes"
    }

    func perform(on console: Console) throws {
        let store = try BundleFiles.open(self.store.store)
        let (identifier, freed) = try BundleFiles.about(self.store.store) { () throws(BundleError) in
            let found = try self.version(in: store)
            try store.remove(bundle, found)
            return (found, try store.collectGarbage().bytes)
        }
        if output.json {
            return try console.print(.object([Key.bundle: bundle, .version: identifier, .freed: freed]))
        }
        try console.print("removed \(bundle) \(identifier), which frees \(ByteText.compact(freed))")
    }

    private func version(in store: BundleStore) throws(BundleError) -> String {
        let found = try store.versions(of: bundle).filter { $0.identifier == version || $0.manifest.version == version }
        guard let first = found.first else {
            throw BundleError(
                .notFound, "there is no \(version) of \(bundle); holdfast bundle list shows what there is")
        }
        guard found.count == 1 else {
            throw BundleError(
                .notFound, "\(bundle) has more than one \(version); say which", problems: found.map(\.identifier))
        }
        return first.identifier
    }
}
