import FleetTransfer
import ControlProtocol
import Delivery
import FleetAPI
import LinuxSystem
import MonotonicTime
import Spool
import UplinkProtocol

/// What is asked of central.
extension Link {
    /// An answer that does not come within this time does not come.
    private static var answerTime: Duration { .seconds(60) }
    /// A batch is made so that it takes ten seconds.
    private static var batchTime: Duration { .seconds(120) }
    /// How much longer a request for commands may take than it was to wait.
    private static var pollGrace: Duration { .seconds(30) }
    /// A reading that was written longer ago is old.
    private static var oldAge: Int64 { 60_000 }
    private static var mostCommands: Int { 1000 }

    // MARK: Enrolment

    func requestEnrolment() {
        guard let token = identity.enrolment.next, let key = identity.key else {
            return tell(.finished(.enrolment, .refused))
        }
        let request = EnrolmentRequest(
            secret: Base64.url.encode(token.secret), publicKey: Base64.url.encode(key.publicKey), name: settings.name,
            facts: DeviceFacts.current())
        send("POST", "/enrol", body: request.json.serialised(), timeout: Self.answerTime) { [weak self] in
            self?.enrolmentAnswered($0)
        }
    }

    private func enrolmentAnswered(_ result: Answer) {
        var outcome = judge(result)
        if case .success(let answer) = result, outcome == .succeeded {
            guard let json = answer.json, let reply = try? EnrolmentReply(json: json) else {
                lastFailure = "central answers what nobody understands"
                return tell(.finished(.enrolment, .failed))
            }
            clock.learn(reply.time)
            switch reply.state {
            case .enrolled: return enrolled(as: reply.device)
            case .pending:
                (isPending, lastFailure) = (true, "an operator of central has to approve the device \(reply.device)")
                outcome = .pending
            }
        } else if case .success(let answer) = result, answer.problem?.kind == .enrolmentRefused {
            return enrolmentRefused(answer.problem?.detail ?? "")
        }
        tell(.finished(.enrolment, outcome))
    }

    private func enrolled(as device: String) {
        guard let token = identity.enrolment.next else { return }
        let floor = clock.floor
        do throws(SystemError) {
            try identity.update { enrolment in
                enrolment.current = Enrolment.Current(url: token.url, pins: token.pins, device: device)
                enrolment.next = nil
                enrolment.floor = floor
            }
        } catch {
            // The same key gets the same id: it is asked once more.
            onWarning("the enrolment cannot be kept: \(error)")
            return tell(.finished(.enrolment, .failed))
        }
        isPending = false
        isForked = false
        onNote(.enrolled, "enrolled at \(token.url) as \(device)")
        start()
    }

    private func enrolmentRefused(_ detail: String) {
        let reason = "central refuses the token: \(detail)"
        onNote(.enrolmentRefused, reason)
        do throws(SystemError) { try identity.update { $0.next = nil } } catch { onWarning("\(error)") }
        isPending = false
        start()
        // An enrolment from before goes on.
        if identity.enrolment.current == nil { refusal = reason } else { lastFailure = reason }
    }

    // MARK: Heartbeat

    func sendHeartbeat() {
        let generation = generation
        describeState { [weak self] state in
            guard let self, self.generation == generation else { return }
            var spools: JSONObject = [:]
            for queue in status.queues {
                var object = queue.json.objectValue ?? [:]
                object["name"] = nil
                spools[queue.name] = .object(object)
            }
            let request = HeartbeatRequest(
                boot: boot.bootID, up: loop.now.duration(since: .zero).inSeconds, now: CentralClock.now,
                version: HoldfastVersion.current, facts: DeviceFacts.current(), labels: labels, isForked: isForked,
                state: state, spools: spools)
            send("POST", "/device/heartbeat", body: request.json.serialised(), timeout: Self.answerTime) {
                [weak self] in self?.heartbeatAnswered($0)
            }
        }
    }

    private func heartbeatAnswered(_ result: Answer) {
        let outcome = judge(result)
        guard outcome == .succeeded, case .success(let answer) = result else {
            return tell(.finished(.heartbeat, outcome))
        }
        guard let json = answer.json, let reply = try? HeartbeatReply(json: json) else {
            lastFailure = "central answers what nobody understands"
            return tell(.finished(.heartbeat, .failed))
        }
        clock.learn(reply.time)
        keepFloor()
        pollTime = .seconds(min(max(reply.poll, 1), 3600))
        if let labels = reply.labels { setLabels(labels) }
        tell(.finished(.heartbeat, .succeeded))
        tell(
            .instructed(
                heartbeat: .seconds(min(max(reply.heartbeat, 1), 86_400)),
                drainBytesPerSecond: max(0, reply.drainBytesPerSecond),
                hasCommands: reply.commandSequence > highestCommand()))
        onBeat()
    }

    /// A floor a day old is as good as a new one.
    private func keepFloor() {
        guard clock.floor > identity.enrolment.floor + 86_400_000 else { return }
        let floor = clock.floor
        do throws(SystemError) { try identity.update { $0.floor = floor } } catch { onWarning("\(error)") }
    }

    /// Those of the configuration, and those of an operator of central, which go before.
    var labels: JSONObject {
        var all: JSONObject = [:]
        for (name, value) in settings.labels.sorted(by: { $0.key < $1.key }) { all[name] = .string(value) }
        for member in identity.enrolment.labels.members { all[member.key] = member.value }
        return all
    }

    /// Sets what an operator of central has decided on.
    func setLabels(_ labels: JSONObject) {
        guard labels != identity.enrolment.labels else { return }
        do throws(SystemError) {
            try identity.update { $0.labels = labels }
        } catch {
            return onWarning("labels cannot be kept: \(error)")
        }
        tell(.heartbeatWanted)
    }

    // MARK: Commands

    func askForCommands() {
        let after = highestCommand()
        let wait = pollTime
        let path = "/device/commands?after=\(after)&wait=\(wait.components.seconds)"
        send("GET", path, timeout: wait + Self.pollGrace, isWaiting: true) { [weak self] result in
            self?.commandsCame(result, after: after, wait: wait)
        }
    }

    private func commandsCame(_ result: Answer, after: UInt64, wait: Duration) {
        let outcome = judge(result)
        guard outcome == .succeeded, case .success(let answer) = result else {
            return tell(.finished(.commands, outcome))
        }
        if answer.status == 204 { return tell(.nothingCame(wait: wait)) }
        guard let list = answer.json?["commands"]?.arrayValue, list.count <= Self.mostCommands else {
            lastFailure = "central answers what nobody understands"
            return tell(.finished(.commands, .failed))
        }
        let orders = list.compactMap { try? CommandOrder(json: $0) }.filter { $0.sequence > after }
        guard !orders.isEmpty else { return tell(.nothingCame(wait: wait)) }
        // Before it is over, so that the next request knows of them.
        tell(.commandsTaken)
        tell(.finished(.commands, .succeeded))
        onCommands(orders)
    }

    /// Sends a command's attachment; tried a few times.
    func upload(_ content: [UInt8], for command: String, attempt: Int = 1, _ completion: @escaping (String?) -> Void) {
        send(
            "PUT", "/device/commands/\(command)/attachment", body: content, contentType: "application/gzip",
            timeout: .seconds(7200)
        ) { [weak self] result in
            guard let self else { return }
            let outcome = judge(result)
            if outcome == .succeeded { return completion(nil) }
            let isWorthwhile = [.failed, .toBeSignedAgain].contains(outcome)
            guard isWorthwhile, attempt < 5 else { return completion(lastFailure ?? "central does not take it") }
            let pause = Backoff.delay(failures: attempt, using: &jitter)
            loop.schedule(at: loop.now + pause) { [weak self] in
                self?.upload(content, for: command, attempt: attempt + 1, completion)
            }
        }
    }

    // MARK: Telemetry

    func sendBatch(_ queue: LinkMachine.Queue, _ plan: QueueProgress.Plan) {
        guard let spool = queues[queue]?.spool,
            let items = try? spool.read(
                after: plan.after, maximumBytes: plan.maximumBytes, maximumRecords: plan.maximumRecords),
            let batch = TelemetryBatch(
                items, plan, spool: spool.id, queue: queue == .events ? .events : .readings,
                after: checksum(before: plan.after + 1, queue, spool), sent: CentralClock.now)
        else { return tell(.batchUnavailable(queue)) }
        lastChecksum[queue] = (batch.content.last, batch.lastChecksum)
        let isOld = batch.writtenAt.map { CentralClock.now - $0 > Self.oldAge } ?? false
        tell(.batchSent(queue, batch.content, compressed: batch.compressed.count, isOld: isOld))
        send(
            "POST", "/device/telemetry", body: batch.compressed, contentType: "application/x-ndjson",
            isCompressed: true, timeout: Self.batchTime
        ) { [weak self] result in self?.batchAnswered(queue, batch, result) }
    }

    /// Of the record with the number before, where it is still there.
    private func checksum(before number: UInt64, _ queue: LinkMachine.Queue, _ spool: Spool) -> UInt32? {
        guard number > 1 else { return nil }
        if let last = lastChecksum[queue], last.number == number - 1 { return last.checksum }
        guard let items = try? spool.read(after: number - 2, maximumBytes: 1, maximumRecords: 1),
            case .record(let record)? = items.first, record.sequence == number - 1
        else { return nil }
        return TelemetryBatch.checksum(record.bytes)
    }

    private func batchAnswered(_ queue: LinkMachine.Queue, _ batch: TelemetryBatch, _ result: Answer) {
        let outcome = judge(result)
        guard case .success(let answer) = result else { return tell(.batchFailed(queue, outcome)) }
        let problem = answer.problem
        switch (answer.status, problem?.kind) {
        case (200..<300, _):
            guard let through = answer.json?["acknowledged"]?.intValue, through >= 0 else {
                lastFailure = "central answers what nobody understands"
                return tell(.batchFailed(queue, .failed))
            }
            tell(.batchAcknowledged(queue, through: UInt64(through)))
        case (409, .some(.sequence)):
            guard let acknowledged = problem?.more["acknowledged"]?.intValue, acknowledged >= 0 else {
                return tell(.batchFailed(queue, .failed))
            }
            tell(.batchRedirected(queue, acknowledged: UInt64(acknowledged)))
        case (400, .some(.batch)):
            tell(.batchUnreadable(queue, problem?.more["line"]?.intValue.flatMap { batch.number(onLine: $0) }))
        case (413, _):
            tell(.batchTooLarge(queue))
        default:
            tell(.batchFailed(queue, outcome))
        }
    }
}

extension MonotonicInstant {
    fileprivate func duration(since earlier: MonotonicInstant) -> Duration { earlier.duration(to: self) }
}
