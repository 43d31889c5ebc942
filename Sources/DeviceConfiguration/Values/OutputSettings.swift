/// `[output]`: what becomes of what workers print.
package struct OutputSettings: Equatable, Sendable {
    package var journal: JournalUse
    /// Where the files are.
    package var directory: String
    /// Bytes of a worker's FIFO.
    package var pipeSize: Int
    /// What holds for workers that say nothing else.
    package var perWorker: WorkerOutput
}

package enum JournalUse: String, CaseIterable, Sendable {
    case auto
    case on
    case off
}

/// How much of a worker's output is kept.
package struct WorkerOutput: Equatable, Sendable {
    /// In the long run.
    package var bytesPerSecond: Int64
    /// At once.
    package var burstBytes: Int64
    package var maxFileBytes: Int64
    /// The one being written included.
    package var files: Int
}
