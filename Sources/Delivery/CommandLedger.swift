/// Which commands this device has seen and what became of them: the rules of docs/fleet-protocol.md. The shell keeps each
/// entry on disk before it goes on with the actions that follow, so that no command is carried out twice.
package struct CommandLedger: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package enum State: String, CaseIterable, Sendable {
            case running, succeeded, failed, rejected, expired, superseded, interrupted
        }

        package var id: String
        package var sequence: UInt64
        /// Kind and payload, by which the same command is known.
        package var content: String
        package var state: State
        /// Its end is on its way to central, for certain.
        package var isReported: Bool

        package init(id: String, sequence: UInt64, content: String, state: State, isReported: Bool = false) {
            self.id = id
            self.sequence = sequence
            self.content = content
            self.state = state
            self.isReported = isReported
        }
    }

    package enum Event: Equatable, Sendable {
        /// - isKnownKind: this device does such a thing.
        case received(id: String, sequence: UInt64, content: String, isExpired: Bool, isKnownKind: Bool)
        case finished(id: String, Entry.State)
        /// What `report` asked for is on disk.
        case reported(id: String)
        /// Found on disk at the start. - isRepeatable: its kind does no harm when it is done twice.
        case found(Entry, isRepeatable: Bool)
    }

    package enum Action: Equatable, Sendable {
        /// On disk before anything that follows.
        case keep(Entry)
        /// Likewise, but a power cut may undo it: it costs a second report.
        case keepLoosely(Entry)
        case carryOut(id: String)
        /// Says how the command stands, with what is kept of its result.
        case report(id: String, Entry.State)
        /// Says so under this id, although something else is kept for it.
        case reportDifferent(id: String)
        /// Of no use any more; from the disk too.
        case forget(id: String)
    }

    /// Older ones are forgotten.
    package static let most = 256

    /// In the order of their sequence numbers.
    package private(set) var entries: [Entry] = []
    /// The highest number that was journalled.
    package private(set) var highest: UInt64 = 0

    package init() {}

    package func entry(_ id: String) -> Entry? { entries.first { $0.id == id } }

    package mutating func handle(_ event: Event) -> [Action] {
        switch event {
        case .found(let entry, let isRepeatable): find(entry, isRepeatable)
        case .finished(let id, let state): finish(id, state)
        case .reported(let id): noteReport(id)
        case .received(let id, let sequence, let content, let isExpired, let isKnownKind):
            receive(
                Entry(id: id, sequence: sequence, content: content, state: .running), isExpired: isExpired,
                isKnownKind: isKnownKind)
        }
    }

    private mutating func receive(_ new: Entry, isExpired: Bool, isKnownKind: Bool) -> [Action] {
        if let known = entry(new.id) {
            guard known.content == new.content else { return [.reportDifferent(id: new.id)] }
            switch known.state {
            // It goes on, and is reported when it ends.
            case .running: return []
            case .succeeded, .failed, .rejected, .expired, .superseded, .interrupted:
                return [.report(id: new.id, known.state)]
            }
        }
        // Not kept: it would be the same decision every time.
        guard new.sequence >= highest else { return [.report(id: new.id, .superseded)] }
        var entry = new
        if isExpired { entry.state = .expired } else if !isKnownKind { entry.state = .rejected }
        let forgotten = keep(entry)
        return [.keep(entry)]
            + (entry.state == .running
                ? [.report(id: entry.id, .running), .carryOut(id: entry.id)] : [.report(id: entry.id, entry.state)])
            + forgotten
    }

    private mutating func finish(_ id: String, _ state: Entry.State) -> [Action] {
        guard let index = entries.firstIndex(where: { $0.id == id }), entries[index].state == .running,
            state != .running
        else { return [] }
        entries[index].state = state
        entries[index].isReported = false
        return [.keep(entries[index]), .report(id: id, state)]
    }

    private mutating func find(_ found: Entry, _ isRepeatable: Bool) -> [Action] {
        guard entry(found.id) == nil else { return [] }
        let forgotten = keep(found)
        switch found.state {
        case .running where isRepeatable: return [.carryOut(id: found.id)] + forgotten
        case .running: return finish(found.id, .interrupted) + forgotten
        case .succeeded, .failed, .rejected, .expired, .superseded, .interrupted:
            return (found.isReported ? [] : [.report(id: found.id, found.state)]) + forgotten
        }
    }

    private mutating func noteReport(_ id: String) -> [Action] {
        guard let index = entries.firstIndex(where: { $0.id == id }), entries[index].state != .running,
            !entries[index].isReported
        else { return [] }
        entries[index].isReported = true
        return [.keepLoosely(entries[index])]
    }

    private mutating func keep(_ entry: Entry) -> [Action] {
        highest = max(highest, entry.sequence)
        let place = entries.lastIndex { $0.sequence <= entry.sequence }.map { $0 + 1 } ?? 0
        entries.insert(entry, at: place)
        var actions: [Action] = []
        while entries.count > Self.most, let oldest = entries.firstIndex(where: { $0.state != .running }) {
            actions.append(.forget(id: entries.remove(at: oldest).id))
        }
        return actions
    }
}
