/// A text of the configuration and the name of its file.
package struct ConfigurationSource: Sendable {
    package var file: String
    package var bytes: [UInt8]

    package init(file: String, bytes: [UInt8]) {
        self.file = file
        self.bytes = bytes
    }
}

/// A table of the configuration with the place that it came from. A table that stands once may have pieces in several
/// files, each with keys of its own.
struct SourcedTable: Sendable {
    struct Piece: Sendable {
        var file: String
        var table: TOMLTable
        var position: TextPosition
    }

    /// What messages call the table: "worker.camera".
    var path: String
    /// In the order of the files; never empty.
    var pieces: [Piece]

    init(path: String, pieces: [Piece]) {
        self.path = path
        self.pieces = pieces
    }

    init(path: String, file: String, table: TOMLTable, position: TextPosition) {
        self.init(path: path, pieces: [Piece(file: file, table: table, position: position)])
    }

    /// The place of a whole table, for what is missing in it.
    var place: SourcePlace? {
        pieces.first.map { SourcePlace(file: $0.file, position: $0.position) }
    }

    /// The path of a key within the table.
    func path(of key: String) -> String {
        path.isEmpty ? key.asKeyPart : "\(path).\(key.asKeyPart)"
    }
}
