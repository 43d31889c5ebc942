import Delivery
import DownloadProtocol
import MonotonicTime

/// One download from its order to its end: what central is asked for, what an answer means, and when it is tried again.
struct DownloadMachine {
    enum State: Equatable {
        /// Others come first.
        case queued
        /// Central has been asked.
        case asking
        /// Content comes.
        case receiving
        /// The last try has failed.
        case waiting(until: MonotonicInstant)
        case ended
    }

    enum Event {
        /// Its turn has come.
        case begun
        /// Central's answer, before its content.
        case answered(DownloadAnswer)
        /// So many bytes of the content have come.
        case received(Int)
        /// The answer is complete.
        case completed
        /// There is no answer, or it has broken off.
        case broke(String)
        /// Nobody can be asked; a later try may help, or not.
        case cannotAsk(String, mayPass: Bool)
        /// The file takes no more.
        case storageFailed(String)
        /// Nobody wants it any more.
        case stopped
        /// The time of `nextDeadline` has come. Early or superfluous calls are harmless.
        case deadlineReached
    }

    enum Action: Equatable {
        /// Ask for what is missing, or for everything at 0.
        case ask(from: Int)
        /// Nothing of the request under way is wanted any more.
        case cancel
        /// Write what has come at this place.
        case write(at: Int)
        case setLength(Int)
        case reportProgress(Int)
        case reportRetry(String)
        /// It is complete once the file is so long; the last action of all.
        case finish(length: Int)
        /// It has failed; the last action of all.
        case end(DownloadFailure)
    }

    static let timeBetweenReports: Duration = .milliseconds(500)

    let source: DownloadOrder.Source
    private(set) var state = State.queued
    /// So many bytes are in the file.
    private(set) var position: Int
    /// The most that there have been: more is progress.
    private var furthest: Int
    /// In a row, without progress.
    private var failures = 0
    /// Central does not believe the place that was asked for: everything is asked for, once.
    private var hasBegunAnew = false
    private var lastFailure: String?
    private let deadline: MonotonicInstant
    private var reported: MonotonicInstant

    /// - Parameter present: so many bytes are in the file.
    init(_ order: DownloadOrder, present: Int, at now: MonotonicInstant) {
        source = order.source
        switch order.source {
        case .content: position = min(order.offset, present)
        case .metadata: position = 0
        }
        furthest = position
        deadline = now + order.within
        reported = now
    }

    /// When it wants `deadlineReached`; `nil` when it has ended.
    var nextDeadline: MonotonicInstant? {
        switch state {
        case .queued, .asking, .receiving: deadline
        case .waiting(let until): min(until, deadline)
        case .ended: nil
        }
    }

    mutating func handle(
        _ event: Event, at now: MonotonicInstant, using random: inout some RandomNumberGenerator
    ) -> [Action] {
        switch (state, event) {
        case (.queued, .begun):
            return ask(at: now)
        case (.asking, .answered(let answer)):
            return judge(answer, at: now, using: &random)
        case (.receiving, .received(let count)):
            return take(count, at: now)
        case (.receiving, .completed):
            return complete(at: now, using: &random)
        case (.asking, .completed):
            return tryAgain("central answers without an answer", at: now, using: &random)
        case (.asking, .broke(let why)), (.receiving, .broke(let why)), (.asking, .cannotAsk(let why, mayPass: true)):
            return tryAgain(why, at: now, using: &random)
        case (.asking, .cannotAsk(let why, mayPass: false)):
            return end(DownloadFailure(.unavailable, why))
        case (.queued, .deadlineReached), (.asking, .deadlineReached), (.receiving, .deadlineReached):
            return now >= deadline ? endTooLate() : []
        case (.waiting(let until), .deadlineReached):
            if now >= deadline { return endTooLate() }
            return now >= until ? ask(at: now) : []
        case (.queued, .storageFailed(let why)), (.asking, .storageFailed(let why)),
            (.receiving, .storageFailed(let why)), (.waiting, .storageFailed(let why)):
            return end(DownloadFailure(.storage, why))
        case (.queued, .stopped), (.asking, .stopped), (.receiving, .stopped), (.waiting, .stopped):
            let isUnderWay = isUnderWay
            state = .ended
            return isUnderWay ? [.cancel] : []
        // What is late: of a request that nobody waits for any more.
        case (.queued, .answered), (.queued, .received), (.queued, .completed), (.queued, .broke),
            (.queued, .cannotAsk),
            (.asking, .begun), (.asking, .received),
            (.receiving, .begun), (.receiving, .answered), (.receiving, .cannotAsk),
            (.waiting, .begun), (.waiting, .answered), (.waiting, .received), (.waiting, .completed),
            (.waiting, .broke), (.waiting, .cannotAsk),
            (.ended, .begun), (.ended, .answered), (.ended, .received), (.ended, .completed), (.ended, .broke),
            (.ended, .cannotAsk), (.ended, .storageFailed), (.ended, .stopped), (.ended, .deadlineReached):
            return []
        }
    }

    private var isUnderWay: Bool { state == .asking || state == .receiving }

    // MARK: Asking

    private mutating func ask(at now: MonotonicInstant) -> [Action] {
        if now >= deadline { return endTooLate() }
        switch source {
        case .content(_, let length) where position == length: return finish()
        case .content: break
        case .metadata: position = 0
        }
        state = .asking
        return [.ask(from: position)]
    }

    private mutating func tryAgain(
        _ why: String, after wait: Duration = .zero, at now: MonotonicInstant,
        using random: inout some RandomNumberGenerator
    ) -> [Action] {
        let cancelling: [Action] = isUnderWay ? [.cancel] : []
        failures += 1
        lastFailure = why
        let delay = max(Backoff.delay(failures: failures, using: &random), min(wait, Backoff.longestThrottle))
        state = .waiting(until: now + delay)
        return cancelling + [.reportRetry(why)]
    }

    private mutating func finish() -> [Action] {
        state = .ended
        return [.finish(length: position)]
    }

    private mutating func end(_ failure: DownloadFailure) -> [Action] {
        let cancelling: [Action] = isUnderWay ? [.cancel] : []
        state = .ended
        return cancelling + [.end(failure)]
    }

    private mutating func endTooLate() -> [Action] {
        end(DownloadFailure(.tooLate, "the time for it is over; \(lastFailure ?? "it was too slow")"))
    }

    private mutating func wrong(_ why: String) -> [Action] {
        end(DownloadFailure(.wrong, why))
    }

    // MARK: Answers

    private mutating func judge(
        _ answer: DownloadAnswer, at now: MonotonicInstant, using random: inout some RandomNumberGenerator
    ) -> [Action] {
        switch answer.status {
        case 200: return takeWhole(answer)
        case 206: return takeRest(answer)
        case 416 where position > 0 && !hasBegunAnew:
            hasBegunAnew = true
            position = 0
            return [.setLength(0)] + tryAgain("central does not have the rest of it", at: now, using: &random)
        case 404: return end(DownloadFailure(.notFound, "central does not have it: \(answer.words)"))
        case 401, 403:
            guard answer.isToBeSignedAgain else {
                return end(DownloadFailure(.unavailable, "central does not give it to this device: \(answer.words)"))
            }
            return tryAgain("central answers: \(answer.words)", at: now, using: &random)
        case 408, 425, 429, 500...:
            return tryAgain(
                "central answers: \(answer.words)", after: answer.retryAfter ?? .zero, at: now, using: &random)
        case 300..<400: return wrong("central sends to another place (status \(answer.status)), which is not followed")
        default: return wrong("central answers: \(answer.words)")
        }
    }

    /// All of it, also where only the rest was asked for.
    private mutating func takeWhole(_ answer: DownloadAnswer) -> [Action] {
        if let coding = answer.coding { return wrong("central sends it coded as \(coding), for which nobody asked") }
        switch source {
        case .content(_, let length):
            if let said = answer.length, said != length {
                return wrong("it has \(said) bytes at central, not \(length)")
            }
        case .metadata(_, let longest):
            if let said = answer.length, said > longest { return wrong("it has \(said) bytes, more than \(longest)") }
        }
        state = .receiving
        let hadSome = position > 0
        position = 0
        return hadSome ? [.setLength(0)] : []
    }

    private mutating func takeRest(_ answer: DownloadAnswer) -> [Action] {
        guard case .content(_, let length) = source, position > 0 else {
            return wrong("central sends a part of it, for which nobody asked")
        }
        if let coding = answer.coding { return wrong("central sends it coded as \(coding), for which nobody asked") }
        guard let range = answer.range, range.first == position, range.last == length - 1, range.total == length else {
            return wrong("central sends another part than the one from \(position) to \(length - 1) of \(length)")
        }
        state = .receiving
        return []
    }

    // MARK: Content

    private var limit: Int {
        switch source {
        case .content(_, let length): length
        case .metadata(_, let longest): longest
        }
    }

    private mutating func take(_ count: Int, at now: MonotonicInstant) -> [Action] {
        guard count <= limit - position else { return wrong("central sends more than \(limit) bytes") }
        let place = position
        position += count
        if position > furthest { (furthest, failures) = (position, 0) }
        guard now >= reported + Self.timeBetweenReports else { return [.write(at: place)] }
        reported = now
        return [.write(at: place), .reportProgress(position)]
    }

    private mutating func complete(
        at now: MonotonicInstant, using random: inout some RandomNumberGenerator
    ) -> [Action] {
        if case .content(_, let length) = source, position < length {
            return tryAgain("the answer has ended after \(position) of \(length) bytes", at: now, using: &random)
        }
        return finish()
    }
}
