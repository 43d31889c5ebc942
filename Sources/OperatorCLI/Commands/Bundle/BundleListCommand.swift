import ArgumentParser
import BundleFormat
import BundleStore
import ControlProtocol

struct BundleListCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the versions in a store, and which is current.")

    @OptionGroup var store: StoreOptions
    @OptionGroup var output: OutputOptions

    private enum Key: String {
        case bundle, version, release, kind, current, good
        case size = "size_bytes"
        case own = "own_bytes"
    }

    func perform(on console: Console) throws {
        let store = try BundleFiles.inspect(self.store.store)
        let versions = try BundleFiles.about(self.store.store) { () throws(BundleError) in
            var all: [StoredVersion] = []
            for bundle in try store.bundles() { all += try store.versions(of: bundle) }
            return all
        }
        if output.json {
            let list: [JSONValue] = versions.map { version in
                .object([
                    Key.bundle: version.bundle, .version: version.identifier, .release: version.manifest.release,
                    .kind: version.manifest.kind.rawValue, .current: version.isCurrent, .good: version.isGood,
                    .size: version.manifest.contentSize, .own: version.ownSize,
                ])
            }
            return try console.print(.array(list))
        }
        guard !versions.isEmpty else { return try console.print("no bundles in \(self.store.store)") }
        var table = Table([
            Table.Column("BUNDLE"), Table.Column("VERSION"), Table.Column("RELEASE", .right),
            Table.Column("SIZE", .right),
            Table.Column("OWN", .right), Table.Column("STATE"),
        ])
        for version in versions {
            let state: Table.Cell =
                version.isCurrent
                ? .init("current", .good) : version.isGood ? .init("good") : .init("never committed", .faint)
            table.add([
                .init(version.bundle), .init(version.identifier), .init("\(version.manifest.release)"),
                .init(ByteText.compact(version.manifest.contentSize)), .init(ByteText.compact(version.ownSize)), state,
            ])
        }
        try console.print(table.lines(console.palette, width: console.surroundings.columns))
    }
}
