import ControlProtocol

/// What of the workers' output, and of the events themselves, is missing in the log.
extension Chronicle {
    func recordLoss(_ loss: LossLedger.Summary) {
        let because = loss.shares.count == 1 ? loss.shares[0].because : Self.list(loss.shares)
        record(
            .outputLost, worker: loss.worker,
            "\(Self.amount(loss.lines, loss.bytes)) of its output were lost: \(because)",
            details: [
                "lines": .int(Int64(loss.lines)), "bytes": .int(Int64(loss.bytes)), "because": .string(because),
            ])
    }

    /// - Parameter events: their numbers.
    func recordMissed(_ events: Range<Int>) {
        record(
            .eventsLost, worker: OutputWorker.name,
            "the log may lack events \(events.lowerBound) to \(events.upperBound - 1): "
                + "holdfast-output did not take them in time",
            details: [
                "events": .int(Int64(events.count)), "first": .int(Int64(events.lowerBound)),
                "last": .int(Int64(events.upperBound - 1)),
            ])
    }

    private static func list(_ shares: [LossLedger.Share]) -> String {
        shares.map { "\(amount($0.lines, $0.bytes)) \($0.because)" }.joined(separator: ", ")
    }

    /// Where nobody read them, lines were not counted.
    private static func amount(_ lines: Int, _ bytes: Int) -> String {
        lines == 0 ? "\(bytes) bytes" : "\(lines) \(lines == 1 ? "line" : "lines") (\(bytes) bytes)"
    }
}
