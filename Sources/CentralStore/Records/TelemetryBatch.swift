package import ControlProtocol
package import FleetAPI

/// A value of a reading.
package enum ReadingValue: Equatable, Sendable {
    case int(Int64)
    case double(Double)
    case bool(Bool)
    case text(String)
}

/// What readings are about, within a device.
package struct SeriesName: Hashable, Sendable {
    package var worker: String
    package var name: String

    package init(worker: String, name: String) {
        self.worker = worker
        self.name = name
    }
}

/// A batch of telemetry, read and found well-formed. Names are kept once and referred to by their place in a list, for
/// most of a batch is of a few series.
package struct TelemetryBatch: Equatable, Sendable {
    /// One value of one record.
    package struct Value: Equatable, Sendable {
        package var sequence: UInt64
        package var time: Int64
        package var monotonic: Int64
        /// Places in `boots` and `series`.
        package var boot: Int32
        package var series: Int32
        package var isRepeat: Bool
        package var value: ReadingValue

        package init(
            sequence: UInt64, time: Int64, monotonic: Int64, boot: Int32, series: Int32, isRepeat: Bool,
            value: ReadingValue
        ) {
            self.sequence = sequence
            self.time = time
            self.monotonic = monotonic
            self.boot = boot
            self.series = series
            self.isRepeat = isRepeat
            self.value = value
        }
    }

    package struct Event: Equatable, Sendable {
        package var sequence: UInt64
        package var time: Int64
        package var monotonic: Int64
        package var boot: Int32
        package var isRepeat: Bool
        package var kind: String
        package var worker: String?
        /// The whole record.
        package var body: JSONObject

        package init(
            sequence: UInt64, time: Int64, monotonic: Int64, boot: Int32, isRepeat: Bool, kind: String,
            worker: String?, body: JSONObject
        ) {
            self.sequence = sequence
            self.time = time
            self.monotonic = monotonic
            self.boot = boot
            self.isRepeat = isRepeat
            self.kind = kind
            self.worker = worker
            self.body = body
        }
    }

    package struct Checksum: Equatable, Sendable {
        package var sequence: UInt64
        /// CRC-32C of the record's line.
        package var value: UInt32

        package init(sequence: UInt64, value: UInt32) {
            self.sequence = sequence
            self.value = value
        }
    }

    package var header: BatchHeader
    package var boots: [String] = []
    package var series: [SeriesName] = []
    package var values: [Value] = []
    package var events: [Event] = []
    package var gaps: [ClosedRange<UInt64>] = []
    /// Of each record, in order.
    package var checksums: [Checksum] = []

    package init(header: BatchHeader) { self.header = header }

    /// Of the record with this number; `nil` when it lies in a gap, or outside.
    package func checksum(of sequence: UInt64) -> UInt32? {
        if let last = checksums.last, last.sequence == sequence { return last.value }
        var (low, high) = (0, checksums.count)
        while low < high {
            let middle = (low + high) / 2
            if checksums[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        guard low < checksums.count, checksums[low].sequence == sequence else { return nil }
        return checksums[low].value
    }
}

/// What became of a batch.
package struct BatchOutcome: Equatable, Sendable {
    /// Everything up to here is there.
    package var acknowledged: UInt64
    /// It begins later than it should; nothing was applied.
    package var isAhead: Bool
    /// It holds another record than what was applied last; `true` for the first time only.
    package var isNewlyForked: Bool
    /// Readings and events that were new.
    package var applied: Int
    /// Values whose series would have been one too many for this device.
    package var skipped: Int
    /// What devices say of commands: id and state.
    package var commands: [CommandNews]

    package struct CommandNews: Equatable, Sendable {
        package var id: String
        package var state: CommandState
        /// The deployment that it belongs to.
        package var deployment: String?

        package init(id: String, state: CommandState, deployment: String? = nil) {
            self.id = id
            self.state = state
            self.deployment = deployment
        }
    }

    package init(
        acknowledged: UInt64, isAhead: Bool = false, isNewlyForked: Bool = false, applied: Int = 0, skipped: Int = 0,
        commands: [CommandNews] = []
    ) {
        self.acknowledged = acknowledged
        self.isAhead = isAhead
        self.isNewlyForked = isNewlyForked
        self.applied = applied
        self.skipped = skipped
        self.commands = commands
    }
}

/// What bounds a device's share of the store.
package enum StoreLimits {
    /// Each costs some hundred bytes, and a place in memory while it is written to.
    package static let seriesOfDevice = 10_000
}
