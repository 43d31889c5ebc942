import ControlProtocol
import LinuxSystem
import MonotonicTime
import Supervision

/// What has happened, for `events` and `incidents`: two bounded rings in memory. Every entry is also handed on, to be
/// logged where it lasts.
final class Chronicle {
    private(set) var events: SequencedRing<RecordedEvent>
    private(set) var incidents: SequencedRing<IncidentReport>
    /// The open incidents of each worker, by number: those that await its recovery.
    private var unrecovered: [String: [(number: Int, at: MonotonicInstant)]] = [:]
    private let loop: EventLoop
    /// Called with each new event.
    var onEvent: (RecordedEvent) -> Void = { _ in }

    /// A worker that never recovers must not collect incidents without end.
    private static let mostUnrecovered = 64

    /// Events that a supervisor recorded after it had last told its successor their number, and before it died: at most
    /// those of one wake-up. The numbers go on behind them, so that none is ever given twice.
    private static let unknownEvents = 10_000

    /// - Parameter lastEvent: the number of the last event before, as far as it is known; 0 at a fresh start.
    init(eventCapacity: Int, incidentCapacity: Int, lastEvent: Int, loop: EventLoop) {
        let first = lastEvent == 0 ? 1 : lastEvent + Self.unknownEvents
        events = SequencedRing(capacity: eventCapacity, from: first)
        // There are fewer than events: no number was given to one before.
        incidents = SequencedRing(capacity: incidentCapacity, from: first)
        self.loop = loop
    }

    func record(
        _ kind: EventKind, worker: String? = nil, supervisor: String? = nil, _ message: String,
        details: JSONObject = [:]
    ) {
        record(kind, worker, supervisor, .other(message: message, details: details))
    }

    func recordChange(of worker: String, in supervisor: String, from: WorkerState, to: WorkerState) {
        record(.workerChanged, worker, supervisor, .change(from: from, to: to))
    }

    private func record(
        _ kind: EventKind, _ worker: String?, _ supervisor: String?, _ content: RecordedEvent.Content
    ) {
        let event = events.append { number in
            RecordedEvent(
                sequence: number, time: WallClock.now(), monotonic: loop.now.secondsSinceBoot, kind: kind,
                worker: worker, supervisor: supervisor, content: content)
        }
        onEvent(event)
    }

    /// Opens an incident.
    /// - Returns: its number, for what is learned later.
    func open(
        worker: String, supervisor: String, pid: Int?, exit: ExitReport, ranFor: Duration, consequence: Consequence
    ) -> Int {
        let action = Wording.action(consequence)
        let number = incidents.next
        incidents.append { number in
            IncidentReport(
                id: number, time: WallClock.now(), worker: worker, supervisor: supervisor, pid: pid, exit: exit,
                ranFor: ranFor.inSeconds, action: action.name, actionMessage: action.sentence,
                recoveredAfter: nil, lastOutput: [])
        }
        var open = unrecovered[worker, default: []]
        open.append((number: number, at: loop.now))
        unrecovered[worker] = open.suffix(Self.mostUnrecovered)
        return number
    }

    /// The restart that a worker's newest open incident tells of was refused, maybe long after the failure.
    /// - Returns: the incident's number.
    func refuseRestart(of worker: String, _ consequence: Consequence) -> Int? {
        guard let number = unrecovered[worker]?.last?.number else { return nil }
        let action = Wording.refusal(consequence)
        incidents.update(number) { incident in
            incident.action = action.name
            incident.actionMessage = action.sentence
        }
        return number
    }

    func attach(lastOutput lines: [String], to number: Int) {
        incidents.update(number) { $0.lastOutput = lines }
    }

    /// The worker is ready again: that closes all its open incidents.
    /// - Returns: their numbers.
    func recovered(_ worker: String) -> [Int] {
        let closed = unrecovered.removeValue(forKey: worker) ?? []
        for open in closed {
            incidents.update(open.number) { $0.recoveredAfter = open.at.duration(to: loop.now).inSeconds }
        }
        return closed.map(\.number)
    }

    /// The worker is no longer part of the tree, or is not wanted any more.
    func forget(_ worker: String) {
        unrecovered[worker] = nil
    }

    /// The first incidents with higher numbers than this, as far as they are still there, oldest first.
    func incidents(of worker: String?, since number: Int, limit: Int) -> [IncidentReport] {
        let first = max(min(number, incidents.next - 1) + 1, incidents.first)
        return Array(
            (first..<incidents.next).lazy.compactMap { self.incidents[$0] }
                .filter { worker == nil || $0.worker == worker }.prefix(limit))
    }

    /// The newest incidents, oldest first.
    func latestIncidents(of worker: String?, limit: Int) -> [IncidentReport] {
        var found: [IncidentReport] = []
        var number = incidents.next - 1
        while found.count < limit, let incident = incidents[number] {
            if worker == nil || incident.worker == worker { found.append(incident) }
            number -= 1
        }
        return found.reversed()
    }
}

extension MonotonicInstant {
    /// Seconds since boot, without the time that the machine was suspended.
    var secondsSinceBoot: Double { Duration.nanoseconds(nanoseconds).inSeconds }
}
