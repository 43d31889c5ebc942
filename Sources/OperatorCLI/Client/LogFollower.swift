import ControlProtocol
import LinuxSystem
import MonotonicTime

/// Follows a worker's output for as long as there is a runtime. One call of `Logs` lasts only as long as the process that
/// answers it, and `holdfast-output` is restarted, replaced by a reload or an upgrade, and stopped: then the next call
/// goes on where the last one ended.
struct LogFollower {
    /// The control socket.
    let path: String
    let worker: String
    /// How many former lines come first.
    let lines: Int
    /// How long to try again after a call has ended, before its failure counts.
    let patience: Duration

    /// Calls that end sooner than this are no sign that all is well again.
    private static let shortCall = Duration.seconds(1)
    private static let pause = Duration.milliseconds(50)
    /// What a call asks for that goes on: all that the process keeps, which began to read before we were back.
    private static let linesKept = 1000

    /// Hands over each line as it comes.
    /// - Throws: why there are no more, or what `handle` throws.
    func run(
        connect: () throws(ClientError) -> ControlClient, _ handle: (LogLineReport) throws -> Void
    ) throws {
        var resumption: Resumption?
        // Lines from before the first call that it did not ask for are no news later.
        var latest = WallClock.now()
        var deadline: MonotonicInstant?
        while true {
            let begin = MonotonicClock.now()
            var failure = ClientError.disconnected(path: path)
            do {
                let client = try connect()
                let lines = resumption == nil ? lines : Self.linesKept
                let method = RuntimeMethod.logs(worker: worker, lines: lines, follow: true)
                try client.stream(method, as: LogsReply.self, waitsForEver: true) { reply in
                    guard let line = reply.line, resumption?.repeats(line) != true else { return }
                    latest = line.time
                    deadline = nil
                    try handle(line)
                }
            } catch let error as ClientError where error.mayPass(afterCall: resumption != nil) {
                failure = error
            }
            let now = MonotonicClock.now()
            if begin.duration(to: now) > Self.shortCall { deadline = nil }
            let limit = deadline ?? now.advanced(by: patience)
            deadline = limit
            guard now < limit else { throw failure }
            SystemCall.sleep(for: Self.pause)
            resumption = Resumption(latest: latest, time: WallClock.now())
        }
    }

    /// Tells the lines of a further call that are known from those that are new. Both were given their time by the same
    /// clock; it may be set back at any time, so nothing younger than the call itself is taken for an old one.
    private struct Resumption {
        /// The time of the last line before.
        let latest: Double
        /// When the call is made.
        let time: Double

        func repeats(_ line: LogLineReport) -> Bool { line.time <= latest && line.time <= time }
    }
}

extension ClientError {
    /// Whether the same call may succeed in a moment.
    /// - Parameter afterCall: one has succeeded before, so that what is missing was there.
    fileprivate func mayPass(afterCall: Bool) -> Bool {
        switch self {
        case .disconnected: true
        case .unreachable, .refused(.outputUnavailable): afterCall
        default: false
        }
    }
}
