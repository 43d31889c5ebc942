/// A text of the configuration and the name of its file.
package struct ConfigurationSource: Equatable, Sendable {
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
        var origin: SourceOrigin
        var table: TOMLTable
        var position: TextPosition
        /// Of a table that may stand several times; for the others they come with the whole table.
        var overrides = OverrideTable()

        /// Of the whole table.
        var place: SourcePlace { SourcePlace(origin, position) }
    }

    /// What messages call the table: "worker.camera".
    var path: String
    /// In the order of the files; never empty.
    var pieces: [Piece]
    /// What environment variables set in it.
    var overrides: OverrideTable

    init(path: String, pieces: [Piece], overrides: OverrideTable = OverrideTable()) {
        self.path = path
        self.pieces = pieces
        self.overrides = overrides
    }

    /// One of several tables.
    init(path: String, _ piece: Piece) {
        self.init(path: path, pieces: [piece], overrides: piece.overrides)
    }

    init(path: String, origin: SourceOrigin, table: TOMLTable, position: TextPosition) {
        self.init(path: path, pieces: [Piece(origin: origin, table: table, position: position)])
    }

    /// The place of a whole table, for what is missing in it.
    var place: SourcePlace? { pieces.first?.place }

    /// The path of a key within the table.
    func path(of key: String) -> String {
        path.isEmpty ? key.asKeyPart : "\(path).\(key.asKeyPart)"
    }
}
