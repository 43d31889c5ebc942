import ControlProtocol
import LinuxSystem
import Spool

/// Which of holdfastd's events are in the spool already. Numbers begin anew with each fresh start of the runtime, so an
/// event is known by its boot, its time since that boot, and its number: of one boot, later events have a later time, or
/// the same and a higher number.
struct EventPosition: Equatable {
    var boot: String
    /// Seconds since boot.
    var monotonic: Double
    var sequence: Int

    func covers(_ event: EventReport, boot: String) -> Bool {
        guard self.boot == boot else { return false }
        return event.monotonic < monotonic || (event.monotonic == monotonic && event.sequence <= sequence)
    }
}

/// Keeps the position beside the spool. The file is written after the records, and a kill in between is made up for by the
/// records that came after those of which the file knows. It is not synced: after a power cut no old event is there.
struct EventPositionFile {
    private let folder: DurableFolder
    private static let name = "events.position"
    /// Records read at a time.
    private static let scanBytes = 256 * 1024

    private enum Key: String { case boot, monotonic, sequence, spool, record, event }

    init(_ folder: DurableFolder) { self.folder = folder }

    /// - Parameter spool: that of the events.
    func load(_ spool: Spool, _ clock: BootClock) -> EventPosition? {
        let json = (try? folder.read(Self.name)).flatMap { $0 }.flatMap { try? JSONValue.parse($0) }
        var position: EventPosition?
        var record = spool.acknowledged
        if let json, let boot = json[Key.boot.rawValue]?.stringValue, boot == clock.bootID,
            let monotonic = json[Key.monotonic.rawValue]?.doubleValue,
            let sequence = json[Key.sequence.rawValue]?.intValue
        {
            position = EventPosition(boot: boot, monotonic: monotonic, sequence: sequence)
            if json[Key.spool.rawValue]?.stringValue == spool.id.description {
                record = max(record, UInt64(clamping: json[Key.record.rawValue]?.intValue ?? 0))
            }
        }
        return scan(spool, after: record, from: position, clock)
    }

    private func scan(
        _ spool: Spool, after record: UInt64, from position: EventPosition?, _ clock: BootClock
    ) -> EventPosition? {
        var (position, record) = (position, record)
        while let items = try? spool.read(after: record, maximumBytes: Self.scanBytes), let last = items.last {
            record = last.lastSequence
            for case .record(let item) in items
            where item.bytes.starts(with: [UInt8(ascii: "{")] + EventRecord.runtimeMark) {
                guard let json = try? JSONValue.parse(item.bytes), json["b"]?.stringValue == clock.shortID,
                    let value = json[Key.event.rawValue], let event = try? EventReport(json: value),
                    !(position?.covers(event, boot: clock.bootID) ?? false)
                else { continue }
                position = EventPosition(boot: clock.bootID, monotonic: event.monotonic, sequence: event.sequence)
            }
        }
        return position
    }

    /// - Parameter record: the last number of the spool.
    func save(_ position: EventPosition, _ spool: Spool, record: UInt64) throws(SystemError) {
        let json: JSONValue = .object([
            Key.boot: position.boot, .monotonic: position.monotonic, .sequence: position.sequence,
            .spool: spool.id.description, .record: Int(clamping: record),
        ])
        try folder.write(Self.name, json.serialised(), isSynced: false)
    }
}
