import Delivery
import MonotonicTime
import SeededRandom

/// One device and central, with everything between them that goes wrong, in simulated time from one seed.
struct LinkSimulation {
    /// Something that happens at a time.
    private enum Happening {
        case arrival(Letter)
        case answer(life: Int, LinkMachine.Event)
        case commandsCame(life: Int, [CentralModel.Command])
        case runEnded(life: Int, id: String)
        case growth
        case fault
        case wakeUp(life: Int)
    }

    /// A request on its way to central.
    private struct Letter {
        var life: Int
        var request: LinkMachine.Request
        var queue: LinkMachine.Queue = .events
        var first: UInt64 = 0
        var items: [CentralModel.Item] = []
        var after: UInt64 = 0
        var answerIsLost = false
    }

    private struct SpoolModel {
        var records: [UInt64: Int] = [:]
        var last: UInt64 = 0
        var acknowledged: UInt64 = 0
        /// As it is found after a kill.
        var savedAcknowledged: UInt64 = 0

        mutating func append(_ payload: Int) {
            last += 1
            records[last] = payload
        }

        func read(_ plan: QueueProgress.Plan) -> [CentralModel.Item] {
            var items: [CentralModel.Item] = []
            var sequence = plan.after
            var count = 0
            while sequence < min(plan.through ?? last, last), count < plan.maximumRecords,
                count * 100 < plan.maximumBytes
            {
                sequence += 1
                if let payload = records[sequence], !plan.omits.contains(sequence) {
                    items.append(.record(sequence, payload: payload))
                    count += 1
                } else if case .gap(let range)? = items.last {
                    items[items.count - 1] = .gap(range.lowerBound...sequence)
                } else {
                    items.append(.gap(sequence...sequence))
                }
            }
            return items
        }
    }

    private var random: SeededGenerator
    private(set) var central = CentralModel()
    private var backups: [CentralModel.Store] = []
    private var machine: LinkMachine
    private var ledger = CommandLedger()
    /// On the device's disk.
    private var journal: [String: CommandLedger.Entry] = [:]
    private var spools: [LinkMachine.Queue: SpoolModel] = [.events: SpoolModel(), .readings: SpoolModel()]
    private var now = MonotonicInstant.zero
    private var calendar: [(at: MonotonicInstant, happening: Happening)] = []
    private var nextWakeUp: MonotonicInstant?
    /// Counts the uplink's processes.
    private var life = 0
    private var isLinkDown = false
    private var isQuiet = false
    private var payloads = 0
    /// Central has not always taken batches of two lines.
    private var wasSmall = false
    private var requestTimes: [MonotonicInstant] = []
    /// What central lost with its disk, or will not take: not expected of the device.
    private var excused: [LinkMachine.Queue: Set<UInt64>] = [.events: [], .readings: []]
    private(set) var runs: [String: Int] = [:]
    private(set) var ends: [String: CommandLedger.Entry.State] = [:]
    private(set) var complaints: [String] = []

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        machine = LinkMachine(events: QueueProgress(), readings: QueueProgress())
    }

    /// Half an hour of faults, then peace until everything has arrived.
    mutating func run() {
        tell(.stageChanged(.enrolled))
        plan(.growth, in: 1)
        plan(.fault, in: 2)
        let end = MonotonicInstant.zero + .seconds(1800)
        while now < end, let happening = take() { perform(happening) }
        beQuiet()
        let limit = now + .seconds(4 * 3600)
        while !isDone, now < limit, let happening = take() { perform(happening) }
        check()
    }

    // MARK: Time

    private mutating func plan(_ happening: Happening, in seconds: Double) {
        let at = now + .seconds(seconds)
        // The next one is last. Of the same time the first that was planned comes first.
        var (low, high) = (0, calendar.count)
        while low < high {
            let middle = (low + high) / 2
            if calendar[middle].at > at { low = middle + 1 } else { high = middle }
        }
        calendar.insert((at, happening), at: low)
    }

    private mutating func take() -> Happening? {
        guard let next = calendar.popLast() else { return nil }
        now = max(now, next.at)
        return next.happening
    }

    private mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }

    // MARK: The device

    private mutating func tell(_ event: LinkMachine.Event) {
        let actions = machine.handle(event, at: now, using: &random)
        for action in actions { perform(action) }
        if let deadline = machine.deadline(after: now) {
            if deadline <= now { complaints.append("a deadline that has passed: \(deadline) at \(now)") }
            guard nextWakeUp.map({ deadline < $0 }) ?? true else { return }
            nextWakeUp = deadline
            plan(.wakeUp(life: life), in: now.duration(to: deadline).inSeconds + 0.001)
        }
    }

    private mutating func perform(_ action: LinkMachine.Action) {
        switch action {
        case .begin(let request):
            send(Letter(life: life, request: request, after: ledger.highest))
        case .send(let queue, let plan):
            let items = spools[queue]?.read(plan) ?? []
            guard let last = items.last?.last else { return tell(.batchUnavailable(queue)) }
            let records = items.compactMap { item in if case .record(let number, _) = item { number } else { nil } }
            tell(
                .batchSent(
                    queue,
                    QueueProgress.Batch(
                        first: plan.after + 1, last: last, records: records.count, lastRecord: records.last,
                        bytes: records.count * 100), compressed: records.count * 20, isOld: false))
            send(Letter(life: life, request: .telemetry, queue: queue, first: plan.after + 1, items: items))
        case .acknowledge(let queue, let through):
            guard var spool = spools[queue] else { return }
            spool.acknowledged = max(spool.acknowledged, through)
            // Whole segments go.
            if chance(0.3) {
                spool.savedAcknowledged = spool.acknowledged
                spool.records = spool.records.filter { $0.key > spool.acknowledged }
            }
            spools[queue] = spool
        case .giveUp(let queue, let sequence):
            if spools[queue]?.records[sequence].map({ !central.unreadable.contains($0) }) ?? false,
                !wasSmall
            {
                complaints.append("given up without a reason: \(queue) \(sequence)")
            }
            excused[queue]?.insert(sequence)
        case .reportFork: complaints.append("a fork that is none")
        case .connected, .disconnected: break
        }
    }

    private mutating func send(_ letter: Letter) {
        requestTimes.append(now)
        let outcome = Double.random(in: 0..<1, using: &random)
        if isLinkDown {
            return plan(.answer(life: letter.life, failure(letter, .failed)), in: .random(in: 0...10, using: &random))
        }
        var letter = letter
        let latency = Double.random(in: 0.01...0.5, using: &random)
        guard !isQuiet else { return plan(.arrival(letter), in: latency) }
        switch outcome {
        case ..<0.05: plan(.answer(life: letter.life, failure(letter, .failed)), in: latency)
        case ..<0.10:
            // It arrives, and nobody learns of it.
            letter.answerIsLost = true
            plan(.arrival(letter), in: latency)
            plan(.answer(life: letter.life, failure(letter, .failed)), in: 30)
        case ..<0.13:
            // Twice, the second time late.
            plan(.arrival(letter), in: latency)
            letter.answerIsLost = true
            plan(.arrival(letter), in: .random(in: 1...60, using: &random))
        case ..<0.15: plan(.answer(life: letter.life, failure(letter, .throttled(.seconds(20)))), in: latency)
        case ..<0.16: plan(.answer(life: letter.life, failure(letter, .refused)), in: latency)
        case ..<0.19: plan(.answer(life: letter.life, failure(letter, .toBeSignedAgain)), in: latency)
        case ..<0.20 where letter.request == .telemetry:
            plan(.answer(life: letter.life, .batchAcknowledged(letter.queue, through: 0)), in: latency)
        default: plan(.arrival(letter), in: latency)
        }
    }

    private func failure(_ letter: Letter, _ outcome: Outcome) -> LinkMachine.Event {
        letter.request == .telemetry ? .batchFailed(letter.queue, outcome) : .finished(letter.request, outcome)
    }

    private mutating func tell(_ event: CommandLedger.Event) {
        for action in ledger.handle(event) {
            // A kill between two steps leaves what was kept, and nothing more.
            if !isQuiet, chance(0.02) { return kill() }
            switch action {
            case .keep(let entry), .keepLoosely(let entry): journal[entry.id] = entry
            case .forget(let id): journal[id] = nil
            case .carryOut(let id):
                runs[id, default: 0] += 1
                plan(.runEnded(life: life, id: id), in: .random(in: 0.01...5, using: &random))
            case .report(let id, let state):
                append(.events)
                if state != .running { ends[id] = state }
                tell(.reported(id: id))
            case .reportDifferent(let id): complaints.append("\(id) is not different")
            }
        }
    }

    private mutating func kill() {
        life += 1
        nextWakeUp = nil
        var progress: [LinkMachine.Queue: QueueProgress] = [:]
        for queue in LinkMachine.Queue.allCases {
            guard var spool = spools[queue] else { continue }
            spool.acknowledged = spool.savedAcknowledged
            spools[queue] = spool
            progress[queue] = QueueProgress(acknowledged: spool.acknowledged, available: spool.last)
        }
        machine = LinkMachine(
            events: progress[.events] ?? QueueProgress(), readings: progress[.readings] ?? QueueProgress())
        ledger = CommandLedger()
        let entries = journal.values.sorted { $0.sequence < $1.sequence }
        let began = life
        for entry in entries where life == began {
            tell(.found(entry, isRepeatable: isRepeatable(entry.id)))
        }
        if life == began { tell(.stageChanged(.enrolled)) }
    }

    private func isRepeatable(_ id: String) -> Bool { central.commands.first { $0.id == id }?.isRepeatable ?? false }

    private mutating func append(_ queue: LinkMachine.Queue) {
        payloads += 1
        if !isQuiet, queue == .readings, chance(0.01) { central.unreadable.insert(payloads) }
        spools[queue]?.append(payloads)
        tell(.available(queue, through: spools[queue]?.last ?? 0))
    }

    // MARK: What happens

    private mutating func perform(_ happening: Happening) {
        switch happening {
        case .arrival(let letter): arrive(letter)
        case .answer(let life, let event): if life == self.life { tell(event) }
        case .commandsCame(let life, let commands): if life == self.life { take(commands) }
        case .runEnded(let life, let id): if life == self.life { tell(.finished(id: id, .succeeded)) }
        case .wakeUp(let life):
            nextWakeUp = nil
            if life == self.life { tell(LinkMachine.Event.deadlineReached) }
        case .growth:
            guard !isQuiet else { return }
            for _ in 0..<Int.random(in: 1...20, using: &random) { append(.readings) }
            if chance(0.3) { append(.events) }
            plan(.growth, in: .random(in: 0.1...20, using: &random))
        case .fault:
            guard !isQuiet else { return }
            strike()
            plan(.fault, in: .random(in: 0.5...60, using: &random))
        }
    }

    private mutating func strike() {
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1: isLinkDown.toggle()
        case 2: isLinkDown = false
        case 3: kill()
        case 4: central.order(isRepeatable: chance(0.5), isKnown: chance(0.9))
        case 5: backups.append(central.store)
        case 6:
            guard let backup = backups.randomElement(using: &random) else { return }
            for queue in LinkMachine.Queue.allCases {
                let lost = Set(central.store.records[queue, default: [:]].keys).subtracting(
                    backup.records[queue, default: [:]].keys)
                excused[queue]?.formUnion(lost)
            }
            central.store = backup
        default:
            central.mostRecords = chance(0.7) ? .max : Int.random(in: 1...8, using: &random)
            wasSmall = wasSmall || central.mostRecords == 1
        }
    }

    private mutating func arrive(_ letter: Letter) {
        switch letter.request {
        case .telemetry:
            let answer = central.take(letter.queue, first: letter.first, letter.items)
            let event: LinkMachine.Event =
                switch answer {
                case .acknowledged(let through): .batchAcknowledged(letter.queue, through: through)
                case .sequence(let acknowledged): .batchRedirected(letter.queue, acknowledged: acknowledged)
                case .unreadable(let sequence): .batchUnreadable(letter.queue, sequence)
                case .tooLarge: .batchTooLarge(letter.queue)
                }
            if !letter.answerIsLost { plan(.answer(life: letter.life, event), in: 0.05) }
        case .commands:
            guard !letter.answerIsLost else { return }
            let new = central.commands.filter { $0.sequence > letter.after }
            if new.isEmpty {
                let isHasty = !isQuiet && chance(0.1)
                plan(
                    .answer(life: letter.life, .nothingCame(wait: .seconds(60))), in: isHasty ? 0.1 : 60)
            } else {
                plan(.commandsCame(life: letter.life, new), in: 0.05)
            }
        case .heartbeat, .enrolment:
            guard !letter.answerIsLost else { return }
            plan(.answer(life: letter.life, .finished(letter.request, .succeeded)), in: 0.05)
        }
    }

    private mutating func take(_ commands: [CentralModel.Command]) {
        let life = life
        for command in commands + (chance(0.2) ? commands : []) where life == self.life {
            tell(
                .received(
                    id: command.id, sequence: command.sequence, content: command.id, isExpired: false,
                    isKnownKind: command.isKnown))
        }
        if life == self.life { tell(LinkMachine.Event.finished(.commands, .succeeded)) }
    }

    // MARK: The end

    private mutating func beQuiet() {
        isQuiet = true
        isLinkDown = false
        central.mostRecords = .max
        // That central was restored from a backup shows with the next record.
        for queue in LinkMachine.Queue.allCases { append(queue) }
    }

    private var isDone: Bool {
        LinkMachine.Queue.allCases.allSatisfy { central.store.applied[$0, default: 0] == spools[$0]?.last ?? 0 }
            && central.commands.allSatisfy { ends[$0.id] != nil }
    }

    private mutating func check() {
        for queue in LinkMachine.Queue.allCases {
            let last = spools[queue]?.last ?? 0
            let applied = central.store.applied[queue, default: 0]
            if applied != last { complaints.append("\(queue): central has \(applied) of \(last)") }
            let missing = (0..<last).map { $0 + 1 }.filter {
                central.store.records[queue, default: [:]][$0] == nil && !(excused[queue]?.contains($0) ?? false)
            }
            if !missing.isEmpty { complaints.append("\(queue): lost \(missing.prefix(5))") }
        }
        if central.repeated > 0 { complaints.append("\(central.repeated) records were applied twice") }
        for command in central.commands {
            let count = runs[command.id, default: 0]
            if count > 1, !command.isRepeatable { complaints.append("\(command.id) ran \(count) times") }
            if ends[command.id] == nil { complaints.append("\(command.id) has no end") }
        }
        checkPace()
        // What the device thinks, for whoever has to mend it.
        if !complaints.isEmpty { complaints.append("at \(now): \(machine); \(ledger)") }
    }

    /// However things go wrong, there are pauses between requests.
    private mutating func checkPace() {
        let most = 150
        for (index, time) in requestTimes.enumerated().dropFirst(most) {
            let span = requestTimes[index - most].duration(to: time)
            if span < .seconds(10) { return complaints.append("\(most) requests within \(span) at \(time)") }
        }
    }
}
