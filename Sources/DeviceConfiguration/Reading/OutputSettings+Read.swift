extension OutputSettings {
    /// The settings, with defaults in place of what is wrong, which has been reported.
    init(_ table: TableReader, stateDirectory: String) {
        self.init(
            journal: table.value(OutputSchema.journal),
            directory: table.value(
                OutputSchema.directory,
                otherwise: TableReader.Found(value: stateDirectory + "/log", source: .builtIn)),
            pipeSize: Int(table.value(OutputSchema.pipeSize)),
            perWorker: WorkerOutput(table))
    }
}

extension WorkerOutput {
    /// - Parameter output: `[output]`; `nil` when that itself is read.
    init(_ table: TableReader, inheriting output: TableReader? = nil) {
        self.init(
            bytesPerSecond: table.value(OutputSchema.rate, inheriting: output),
            burstBytes: table.value(OutputSchema.burst, inheriting: output),
            maxFileBytes: table.value(OutputSchema.maxFile, inheriting: output),
            files: table.value(OutputSchema.files, inheriting: output))
    }
}
