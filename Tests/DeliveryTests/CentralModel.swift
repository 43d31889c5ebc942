import Delivery

/// Central as docs/fleet-protocol.md has it, for one device, in memory.
struct CentralModel {
    enum Item: Equatable {
        case record(UInt64, payload: Int)
        case gap(ClosedRange<UInt64>)

        var last: UInt64 {
            switch self {
            case .record(let sequence, _): sequence
            case .gap(let range): range.upperBound
            }
        }
    }

    enum Answer: Equatable {
        case acknowledged(UInt64)
        case sequence(UInt64)
        case unreadable(UInt64)
        case tooLarge
    }

    struct Store: Equatable {
        var applied: [LinkMachine.Queue: UInt64] = [:]
        var records: [LinkMachine.Queue: [UInt64: Int]] = [:]
    }

    struct Command: Equatable {
        var id: String
        var sequence: UInt64
        var isRepeatable: Bool
        var isKnown: Bool
    }

    var store = Store()
    private(set) var commands: [Command] = []
    /// Records that were applied a second time: there must be none.
    private(set) var repeated = 0
    /// Payloads that central cannot read, and batches that it does not take.
    var unreadable: Set<Int> = []
    var mostRecords = Int.max

    mutating func order(isRepeatable: Bool, isKnown: Bool) {
        let sequence = UInt64(commands.count + 1)
        commands.append(
            Command(id: "command-\(sequence)", sequence: sequence, isRepeatable: isRepeatable, isKnown: isKnown))
    }

    mutating func take(_ queue: LinkMachine.Queue, first: UInt64, _ items: [Item]) -> Answer {
        let applied = store.applied[queue, default: 0]
        guard first <= applied + 1 else { return .sequence(applied) }
        guard items.count <= mostRecords else { return .tooLarge }
        for case .record(let sequence, let payload) in items where unreadable.contains(payload) {
            return .unreadable(sequence)
        }
        for case .record(let sequence, let payload) in items where sequence > applied {
            if store.records[queue, default: [:]].updateValue(payload, forKey: sequence) != nil { repeated += 1 }
        }
        store.applied[queue] = max(applied, items.last?.last ?? applied)
        return .acknowledged(store.applied[queue, default: 0])
    }
}
