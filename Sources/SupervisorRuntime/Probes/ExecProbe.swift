import ControlProtocol
import DeviceConfiguration
import LinuxSystem
import MonotonicTime
import Probing

/// One probe of one worker that is a program. Its runs never overlap. Main thread only.
final class ExecProbe {
    let worker: String
    private let loop: EventLoop
    /// Starts the program; the closure is told how it ended.
    private let start: (ExecProbe, @escaping (ProbeProcess, String?) -> Void) throws(SystemError) -> ProbeProcess
    /// What the clock decides: its failures, recoveries, and the verdict.
    private let tell: (ExecProbe, ProbeClock.Action) -> Void
    private(set) var settings: WorkerProbe
    private var clock: ProbeClock
    private var timer: TimerID?
    /// Also one that was given up and is not gone yet.
    private var process: ProbeProcess?
    private var wasGivenUp = false

    init(
        _ settings: WorkerProbe, of worker: String, loop: EventLoop,
        start: @escaping (ExecProbe, @escaping (ProbeProcess, String?) -> Void) throws(SystemError) -> ProbeProcess,
        tell: @escaping (ExecProbe, ProbeClock.Action) -> Void
    ) {
        self.settings = settings
        self.worker = worker
        self.loop = loop
        self.start = start
        self.tell = tell
        clock = ProbeClock(settings.schedule)
    }

    var isActive: Bool { clock.isActive }

    func begin() {
        handle(.began)
    }

    /// The worker is paused, or gone: whatever is under way is given up.
    func suspend() {
        if clock.isActive { handle(.ended) }
    }

    /// What another command finds is not comparable with what was found before.
    func change(to settings: WorkerProbe) {
        guard settings != self.settings else { return }
        let isAnother = settings.kind != self.settings.kind
        self.settings = settings
        handle(.scheduleChanged(settings.schedule))
        guard isAnother, isActive else { return }
        suspend()
        begin()
    }

    var report: ProbeReport {
        let state =
            if !isActive { "suspended" } else if clock.failures > 0 { "failing" } else {
                clock.hasSucceeded ? "passing" : "waiting"
            }
        return ProbeReport(
            name: settings.name, kind: settings.kind.name, state: state, failures: clock.failures,
            lastFailure: clock.lastFailure)
    }

    private func handle(_ event: ProbeClock.Event) {
        for action in clock.handle(event, at: loop.now) {
            switch action {
            case .begin: run()
            case .abandon:
                wasGivenUp = true
                process?.kill()
            case .failing, .recovered, .unhealthy: tell(self, action)
            }
        }
        rearm()
    }

    private func run() {
        guard process == nil else { return handle(.result(failure: "its last run cannot be ended")) }
        do throws(SystemError) {
            process = try start(self) { [weak self] process, failure in self?.ended(process, failure) }
        } catch {
            handle(.result(failure: "it could not be started (\(error.call): \(error.message))"))
        }
    }

    private func ended(_ ended: ProbeProcess, _ failure: String?) {
        guard ended === process else { return }
        process = nil
        // Of one that was given up nothing is expected: the clock has gone on.
        if !wasGivenUp { handle(.result(failure: failure)) }
        wasGivenUp = false
    }

    private func rearm() {
        if let timer = timer.take() { loop.cancel(timer) }
        timer = clock.nextDeadline.map { deadline in
            loop.schedule(at: deadline) { [weak self] in
                self?.timer = nil
                self?.handle(.deadlineReached)
            }
        }
    }
}
