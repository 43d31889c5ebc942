import ControlProtocol
import Delivery
import FleetAPI
import LinuxSystem
import MonotonicTime
import Spool

/// Carries out central's commands by the rules of `CommandLedger`, and reports what became of them: the runtime's own one after the
/// other, those of plugins beside them.
final class CommandRunner {
    private let loop: EventLoop
    private let journal: CommandJournal
    private let table: CommandTable
    private let boot: BootClock
    private var ledger = CommandLedger()
    private var waiting: [(order: CommandOrder, expires: MonotonicInstant?)] = []
    private var running: [String: Running] = [:]
    /// Found at the start, or to be done again.
    private var toCarryOut: [String] = []

    private struct Running {
        var isIndependent: Bool
        /// Ends what takes too long; `nil` where whoever carries it out does.
        var timer: TimerID?
        /// What is still to be said of its progress, and when something may be said again.
        var progress: String?
        var progressTimer: TimerID?
    }

    /// Puts an event into the spool, for certain; false when the disk takes none.
    var report: ([UInt8]) -> Bool = { _ in false }
    /// Called when nothing is left to do.
    var onIdle: () -> Void = {}
    var onTrouble: (String) -> Void = { _ in }

    /// Any command has to end within this time.
    private static let longest: Duration = .seconds(3600)
    private static let retryPause: Duration = .seconds(30)
    /// Each is an event that is synced to the disk.
    private static let timeBetweenProgress: Duration = .seconds(5)
    /// Of plugins, at a time.
    private static let mostIndependent = 24
    /// Of a result, as JSON.
    private static let largestResult = 128 * 1024

    init(loop: EventLoop, journal: CommandJournal, table: CommandTable, boot: BootClock) {
        self.loop = loop
        self.journal = journal
        self.table = table
        self.boot = boot
    }

    /// Of the last command that was journalled.
    var highest: UInt64 { ledger.highest }

    /// Reads what an earlier process has left.
    func load() {
        for page in journal.pages.values.sorted(by: { $0.entry.sequence < $1.entry.sequence }) {
            perform(
                ledger.handle(
                    .found(page.entry, isRepeatable: table[page.order.kind]?.isRepeatable ?? false)))
        }
    }

    /// Takes it up.
    func start() { next() }

    func take(_ orders: [CommandOrder]) {
        for order in orders.sorted(by: { $0.sequence < $1.sequence }) {
            waiting.append((order, order.expiresIn.map { loop.now + .seconds($0) }))
        }
        next()
    }

    private func next() {
        while true {
            if let index = toCarryOut.firstIndex(where: { mayBegin(journal.pages[$0]?.order.kind) }) {
                carryOut(toCarryOut.remove(at: index))
            } else if toCarryOut.isEmpty, let (order, expires) = waiting.first, mayBegin(order.kind) {
                // In the order of their numbers: a later one that is journalled first would supersede it.
                waiting.removeFirst()
                receive(order, isExpired: expires.map { $0 <= loop.now } ?? false)
            } else {
                break
            }
        }
        // Others may come while plugins are at work.
        if toCarryOut.isEmpty, waiting.isEmpty, !running.values.contains(where: { !$0.isIndependent }) { onIdle() }
    }

    private func mayBegin(_ kind: String?) -> Bool {
        guard kind.flatMap({ table[$0] })?.isIndependent ?? false else {
            return !running.values.contains { !$0.isIndependent }
        }
        return running.values.count(where: \.isIndependent) < Self.mostIndependent
    }

    private func receive(_ order: CommandOrder, isExpired: Bool) {
        let event = CommandLedger.Event.received(
            id: order.id, sequence: order.sequence, content: CommandJournal.content(order), isExpired: isExpired,
            isKnownKind: table[order.kind] != nil)
        perform(ledger.handle(event), order)
    }

    // MARK: What the ledger decides

    /// - Parameter order: the one that was received, where one was.
    private func perform(
        _ actions: [CommandLedger.Action], _ order: CommandOrder? = nil, end: CommandEnd? = nil
    ) {
        for action in actions {
            switch action {
            case .keep(let entry):
                guard keep(entry, order, end, isSynced: true) else { return }
            case .keepLoosely(let entry):
                _ = keep(entry, order, nil, isSynced: false)
            case .carryOut(let id): toCarryOut.append(id)
            case .forget(let id): journal.forget(id)
            case .report(let id, let state): tell(id, state, order)
            case .reportDifferent(let id):
                let message = "another command has this id already; what it was stays as it is"
                _ = report(
                    EventRecord.command(
                        id: id, state: .rejected, message: message, result: nil, boot, at: loop.now))
            }
        }
    }

    /// - Returns: whether the disk has it. If not, nothing that follows may be done: the command is asked for again after the
    ///   next start.
    private func keep(
        _ entry: CommandLedger.Entry, _ order: CommandOrder?, _ end: CommandEnd?, isSynced: Bool
    ) -> Bool {
        var page = journal.pages[entry.id]
        if page == nil, let order { page = CommandJournal.Page(order: order, entry: entry) }
        guard var page else { return false }
        page.entry = entry
        if let end { (page.message, page.result) = (end.message, end.result) }
        do throws(SystemError) {
            try journal.keep(page, isSynced: isSynced)
            return true
        } catch {
            onTrouble("a command cannot be journalled: \(error)")
            return false
        }
    }

    private func tell(_ id: String, _ state: CommandLedger.Entry.State, _ order: CommandOrder?) {
        let page = journal.pages[id]
        var message = page?.message
        switch state {
        case .rejected where message == nil:
            message =
                "this device does not know the kind '\(page?.order.kind ?? order?.kind ?? "")'; it knows \(table.names)"
        case .superseded: message = "a later command was there already"
        case .interrupted: message = "the uplink, or the device, died over it; it may have been carried out or not"
        case .expired: message = "its time was over before it could be carried out"
        case .running, .succeeded, .failed, .rejected: break
        }
        let record = EventRecord.command(
            id: id, state: CommandState(rawValue: state.rawValue) ?? .failed, message: message, result: page?.result,
            boot, at: loop.now)
        guard state != .running else {
            _ = report(record)
            return
        }
        if report(record) {
            perform(ledger.handle(.reported(id: id)))
        } else if journal.pages[id] != nil {
            loop.schedule(at: loop.now + Self.retryPause) { [weak self] in self?.tell(id, state, nil) }
        }
    }

    // MARK: Carrying out

    private func carryOut(_ id: String) {
        guard let page = journal.pages[id], let kind = table[page.order.kind] else {
            return finish(id, .rejected("this device does not know such a thing any more; it knows \(table.names)"))
        }
        running[id] = Running(isIndependent: kind.isIndependent)
        if !kind.isIndependent {
            running[id]?.timer = loop.schedule(at: loop.now + Self.longest) { [weak self] in
                self?.finish(id, .failed("it did not end within \(Self.longest)"))
            }
        }
        kind.carryOut(
            page.order, { [weak self] in self?.note($0, of: id) }, { [weak self] end in self?.finish(id, end) })
    }

    /// Tells central how far it has come, not too often, and of the last word for certain.
    private func note(_ words: String, of id: String) {
        guard running[id] != nil else { return }
        running[id]?.progress = words
        if running[id]?.progressTimer == nil { tellProgress(of: id) }
    }

    private func tellProgress(of id: String) {
        running[id]?.progressTimer = nil
        guard let words = running[id]?.progress.take() ?? nil else { return }
        _ = report(
            EventRecord.command(id: id, state: .running, message: words, result: nil, boot, at: loop.now))
        running[id]?.progressTimer = loop.schedule(at: loop.now + Self.timeBetweenProgress) { [weak self] in
            self?.tellProgress(of: id)
        }
    }

    private func finish(_ id: String, _ end: CommandEnd) {
        if let known = running.removeValue(forKey: id) {
            for timer in [known.timer, known.progressTimer].compactMap({ $0 }) { loop.cancel(timer) }
        } else if journal.pages[id]?.entry.state != .running {
            // Too late.
            return
        }
        var end = end
        if let result = end.result, result.serialised().count > Self.largestResult {
            end = .failed("its result is longer than \(Self.largestResult) bytes; ask for diagnostics.collect")
        }
        let state = CommandLedger.Entry.State(rawValue: end.state.rawValue) ?? .failed
        perform(ledger.handle(.finished(id: id, state)), end: end)
        // Not within the call that has ended it.
        loop.schedule(at: loop.now) { [weak self] in self?.next() }
    }
}
