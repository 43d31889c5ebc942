import DownloadProtocol
import FleetTransfer
import LinuxSystem
import MonotonicTime

/// One download: performs what `DownloadMachine` decides, with one request at a time and one file.
final class Download {
    /// What all downloads have in common.
    struct Environment {
        let loop: EventLoop
        let deadman: DeadmanAlarm
        let link: Link
        /// The connections that downloads share.
        let connections: DownloadConnections
        /// For how long one may be too slow.
        let slowTime: Duration
    }

    /// The content that may come in one turn of the loop: telemetry and commands have their turn in between, and a slow disk
    /// does not hold them up for long.
    private static let bytesPerTurn = 64 << 10
    private static let longestProblem = 64 << 10

    let order: DownloadOrder
    private let file: SharedDescriptor
    private let environment: Environment
    private var machine: DownloadMachine
    private var timer: TimerID?
    private var request: Transfer.RequestID?
    /// Counts the tries: what comes of an earlier one concerns nobody.
    private var attempt = 0

    var onProgress: (Int) -> Void = { _ in }
    var onRetry: (String) -> Void = { _ in }
    /// Called once, at its end.
    var onEnd: (DownloadFailure?) -> Void = { _ in }

    /// - Parameter present: so many bytes are in the file.
    init(_ order: DownloadOrder, file: SharedDescriptor, present: Int, environment: Environment) {
        self.order = order
        self.file = file
        self.environment = environment
        machine = DownloadMachine(order, present: present, at: environment.loop.now)
        schedule()
    }

    deinit {
        if let timer { environment.loop.cancel(timer) }
        if let request { environment.connections.cancel(request) }
    }

    /// Its turn has come. Not within a callback of another transfer.
    func begin() { tell(.begun) }

    /// Nobody wants it any more; it does not call back.
    func stop() {
        (onProgress, onRetry, onEnd) = ({ _ in }, { _ in }, { _ in })
        tell(.stopped)
    }

    /// Requests go to another central now.
    func connectionLost() { tell(.broke("requests go to another central now")) }

    private func tell(_ event: DownloadMachine.Event) {
        var follow: DownloadMachine.Event?
        for action in machine.handle(event, at: environment.loop.now, using: &environment.link.jitter) {
            follow = perform(action)
            if follow != nil { break }
        }
        schedule()
        if let follow { tell(follow) }
    }

    private func schedule() {
        let loop = environment.loop
        if let timer { loop.cancel(timer) }
        timer = machine.nextDeadline.map { deadline in
            loop.schedule(at: deadline) { [weak self] in
                guard let self else { return }
                timer = nil
                tell(.deadlineReached)
            }
        }
    }

    /// - Returns: what has come of it already; the actions after it are void then.
    private func perform(_ action: DownloadMachine.Action) -> DownloadMachine.Event? {
        switch action {
        case .ask(let offset): return ask(from: offset)
        case .cancel:
            attempt += 1
            if let request { environment.connections.cancel(request) }
            request = nil
        // `write` belongs to a piece that has come, see `received`.
        case .write: break
        case .setLength(let length):
            return setLength(length).map { .storageFailed($0) }
        case .reportProgress(let bytes): onProgress(bytes)
        case .reportRetry(let why): onRetry(why)
        case .finish(let length): onEnd(setLength(length).map { DownloadFailure(.storage, $0) })
        case .end(let failure): onEnd(failure)
        }
        return nil
    }

    // MARK: File

    /// - Returns: why it did not go, for a person, or `nil`.
    private func changeFile(_ change: (Int32) throws(SystemError) -> Void) -> String? {
        guard let number = file.rawValue else { return "the file is closed" }
        do throws(SystemError) {
            try environment.deadman.during { () throws(SystemError) in try change(number) }
            return nil
        } catch {
            return "\(error)"
        }
    }

    private func setLength(_ length: Int) -> String? {
        changeFile { number throws(SystemError) in
            guard try SystemCall.status(number).size != Int64(length) else { return }
            try SystemCall.truncate(number, to: Int64(length))
        }
    }

    private func write(_ number: Int32, _ bytes: [UInt8], at offset: Int) throws(SystemError) {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in
                var done = 0
                while done < bytes.count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                    let count = try SystemCall.write(number, rest, at: Int64(offset + done))
                    guard count > 0 else { throw SystemError(call: "pwrite", errno: SystemError.noSpace) }
                    done += count
                }
            }
        }
        try result.get()
    }

    private func received(_ bytes: [UInt8]) {
        var follow: DownloadMachine.Event?
        for action in machine.handle(
            .received(bytes.count), at: environment.loop.now, using: &environment.link.jitter)
        {
            if case .write(let offset) = action {
                let problem = changeFile { number throws(SystemError) in try write(number, bytes, at: offset) }
                follow = problem.map { .storageFailed($0) }
            } else {
                follow = perform(action)
            }
            if follow != nil { break }
        }
        if let follow { tell(follow) } else if machine.state == .ended { schedule() }
    }

    // MARK: Requests

    private func ask(from offset: Int) -> DownloadMachine.Event? {
        let link = environment.link
        if let obstacle = link.downloadObstacle {
            return .cannotAsk(obstacle.reason, mayPass: obstacle.mayPass)
        }
        guard var request = link.downloadOrder(order.source, from: offset) else {
            return .cannotAsk("there is no central", mayPass: false)
        }
        request.answerLimit = Self.longestProblem
        request.bytesPerTurn = Self.bytesPerTurn
        request.slowest = (bytesPerSecond: max(1, order.minimumSpeed), time: environment.slowTime)
        attempt += 1
        let attempt = attempt
        request.onHead = { [weak self] answer in
            guard let self, self.attempt == attempt else { return }
            tell(.answered(link.downloadAnswer(answer)))
        }
        request.onData = { [weak self] bytes in
            guard let self, self.attempt == attempt else { return }
            received(bytes)
        }
        let key = link.identity.key
        let isSigned = order.source.isSigned
        do throws(Transfer.Failure) {
            self.request = try environment.connections.begin(request) { [weak self] result in
                if isSigned, let key { link.noteKey(key, result) }
                guard let self, self.attempt == attempt else { return }
                finished(result)
            }
            return nil
        } catch {
            return .broke(error.description)
        }
    }

    private func finished(_ result: Result<HTTPAnswer, Transfer.Failure>) {
        request = nil
        switch result {
        case .success(let answer):
            // Without content it did not come before.
            if machine.state == .asking { tell(.answered(environment.link.downloadAnswer(answer))) }
            tell(.completed)
        case .failure(let failure): tell(.broke(failure.description))
        }
    }
}
