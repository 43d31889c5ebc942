import Supervision

/// A `[[supervisor]]` being read: its specification, still without children, and the places to report.
struct SupervisorDraft {
    /// `nil` when it has no usable name.
    let name: String?
    let specification: SupervisorSpecification
    /// The name of its parent.
    let parent: String
    /// What messages call it: "supervisor.vision".
    let path: String
    /// Of its table.
    let place: SourcePlace
    let namePlace: SourcePlace
    let parentPlace: SourcePlace

    init(_ piece: SourcedTable.Piece, number: Int, _ context: ReadingContext) {
        path = piece.path(named: SupervisorSchema.table, number: number)
        let table = TableReader(SourcedTable(path: path, piece), SupervisorSchema.table, context)
        place = piece.place
        namePlace = table.place(of: "name")
        parentPlace = table.place(of: "parent")
        name = table.required(SupervisorSchema.name)
        parent = table.value(SupervisorSchema.parent)

        let retryAfter = table.value(SupervisorSchema.retryAfter)
        let reaction: IntensityReaction
        switch table.value(SupervisorSchema.onIntensityExceeded) {
        case .park: reaction = .park(retryAfter: retryAfter)
        case .escalate:
            reaction = .escalate
            if table.has("retry_after") {
                context.problems.add(
                    table.place(of: "retry_after"), "\(path).retry_after",
                    "has no meaning when on_intensity_exceeded is \"escalate\"; remove it")
            }
        }
        specification = SupervisorSpecification(
            name: name ?? "",
            strategy: table.value(SupervisorSchema.strategy),
            intensity: RestartIntensity(
                maxRestarts: table.value(SupervisorSchema.maxRestarts), within: table.value(SupervisorSchema.within)),
            onIntensityExceeded: reaction)
    }
}

extension SourcedTable.Piece {
    /// What messages call one of several tables: by its name if that is one, otherwise by its number.
    func path(named schema: TableSchema, number: Int) -> String {
        childName.map { "\(schema.path).\($0)" } ?? "\(schema.path)[\(number)]"
    }

    /// The name that the file gives to the worker or supervisor, if that is one.
    var childName: String? {
        guard case .string(let name)? = table["name"]?.value, ChildName.isWellFormed(name) else { return nil }
        return name
    }
}
