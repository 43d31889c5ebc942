extension OutputSettings {
    /// The settings, with defaults in place of what is wrong, which has been reported.
    init(_ table: TableReader, stateDirectory: String) {
        let standard = WorkerOutput(
            bytesPerSecond: OutputSchema.rate.fallback, burstBytes: OutputSchema.burst.fallback,
            maxFileBytes: OutputSchema.maxFile.fallback, files: OutputSchema.files.fallback)
        self.init(
            journal: table.value(OutputSchema.journal),
            directory: table.value(OutputSchema.directory) ?? stateDirectory + "/log",
            pipeSize: Int(table.value(OutputSchema.pipeSize)),
            perWorker: WorkerOutput(table, otherwise: standard))
    }
}

extension WorkerOutput {
    /// What the table says, and `standard` where it says nothing.
    init(_ table: TableReader, otherwise standard: WorkerOutput) {
        self.init(
            bytesPerSecond: table.given(OutputSchema.rate) ?? standard.bytesPerSecond,
            burstBytes: table.given(OutputSchema.burst) ?? standard.burstBytes,
            maxFileBytes: table.given(OutputSchema.maxFile) ?? standard.maxFileBytes,
            files: table.given(OutputSchema.files) ?? standard.files)
    }
}
