extension RuntimeSettings {
    /// The settings, with defaults in place of what is wrong, which has been reported.
    init(_ table: TableReader, hostName: String) {
        let standardName = ChildName.isWellFormed(hostName) ? hostName : "holdfast"
        self.init(
            name: table.value(
                RuntimeSchema.name, otherwise: TableReader.Found(value: standardName, source: .builtIn)),
            stateDirectory: table.value(RuntimeSchema.stateDirectory),
            runtimeDirectory: table.value(RuntimeSchema.runtimeDirectory),
            workersCgroup: table.value(RuntimeSchema.workersCgroup),
            defaultUser: table.value(RuntimeSchema.defaultUser),
            controlGroup: table.value(RuntimeSchema.controlGroup),
            controlGroupID: nil,
            eventBuffer: table.value(RuntimeSchema.eventBuffer),
            incidentBuffer: table.value(RuntimeSchema.incidentBuffer))
    }
}
