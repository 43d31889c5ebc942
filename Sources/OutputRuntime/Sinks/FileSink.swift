import ControlProtocol
import LinuxSystem
import MonotonicTime

/// One file per worker in the log directory, and one for events. Nothing is synced: the kernel writes it when it likes,
/// and a power cut may cost the last seconds of logs, but no flash is worn out for them.
final class FileSink: LogSink {
    /// Of the event file, and of each rotated one.
    static let eventFileBytes = 1024 * 1024
    static let rotatedEventFiles = 2
    static let eventFileName = "holdfast-events"

    private let directory: LogDirectory
    /// Called when the folder was removed, before the lines at hand are given up: a process that ends now leaves them to the
    /// next, which gets a new folder.
    private let onGone: () -> Void
    private var files: [String: RotatingFile] = [:]
    private let events: RotatingFile
    private var text: [UInt8] = []
    private var ends: [Int] = []

    init(_ directory: LogDirectory, onGone: @escaping () -> Void = {}) {
        self.directory = directory
        self.onGone = onGone
        events = RotatingFile(
            "\(FileSink.eventFileName).log", in: directory, maximumBytes: FileSink.eventFileBytes,
            rotated: FileSink.rotatedEventFiles)
    }

    func prepare(_ worker: String, _ limits: OutputLimits) {
        if let file = files[worker] {
            file.adjust(maximumBytes: limits.maximumFileBytes, rotated: limits.rotatedFiles)
        } else {
            files[worker] = RotatingFile(
                "\(worker).log", in: directory, maximumBytes: limits.maximumFileBytes, rotated: limits.rotatedFiles)
        }
    }

    func write(_ batch: LineBatch, at now: MonotonicInstant) -> SinkLoss? {
        guard let file = files[batch.worker] else { return nil }
        text.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        for line in batch.lines {
            Timestamp.append(batch.time, to: &text)
            text.append(UInt8(ascii: " "))
            text.append(contentsOf: batch.bytes[line.range])
            if line.ending == .longest { text.append(contentsOf: LineText.continuationMark.utf8) }
            text.append(UInt8(ascii: "\n"))
            ends.append(text.count)
        }
        let written = file.append(text, endingAt: ends, at: now)
        guard written < batch.lines.count else { return nil }
        if directory.isGone { onGone() }
        return SinkLoss(cause: .file, count: batch.loss(from: written), reason: file.failure?.description)
    }

    func write(_ event: EventReport, at now: MonotonicInstant) -> Bool {
        var line = event.json.serialised()
        line.append(UInt8(ascii: "\n"))
        return events.append(line, endingAt: [line.count], at: now) == 1
    }

    func markGap(_ worker: String, _ loss: LossReport, time: Int64, at now: MonotonicInstant) {
        guard let file = files[worker] else { return }
        var line: [UInt8] = []
        Timestamp.append(time, to: &line)
        let text = " -- holdfast: \(loss.count.lines) lines (\(loss.count.bytes) bytes) lost: \(loss.because)\n"
        line.append(contentsOf: text.utf8)
        // On a full disk this fails too; the report to the supervisor does not depend on it.
        _ = file.append(line, endingAt: [line.count], at: now)
    }

    func close(_ worker: String) {
        files[worker] = nil
    }
}
