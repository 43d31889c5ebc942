import LinuxSystem
import MonitorProtocol
import Probing

/// Makes the probes of one target when they are due.
final class ProbeRunner {
    enum News: Equatable {
        case failing(String)
        case recovered
        case unhealthy(String)
    }

    private let loop: EventLoop
    private(set) var probe: NetworkProbe
    private(set) var clock: ProbeClock
    private var attempt: ProbeAttempt?
    private var timer: TimerID?

    var onNews: (ProbeRunner, News) -> Void = { _, _ in }

    init(_ probe: NetworkProbe, loop: EventLoop) {
        self.probe = probe
        self.loop = loop
        clock = ProbeClock(probe.schedule)
    }

    deinit {
        if let timer { loop.cancel(timer) }
    }

    func resume() { handle(.began) }
    func suspend() { handle(.ended) }

    func adopt(_ schedule: ProbeSchedule) {
        guard schedule != probe.schedule else { return }
        probe.schedule = schedule
        handle(.scheduleChanged(schedule))
    }

    private func handle(_ event: ProbeClock.Event) {
        let actions = clock.handle(event, at: loop.now)
        // What the owner does with the news may come back here: the timer has to be right by then.
        schedule()
        for action in actions { perform(action) }
    }

    private func schedule() {
        if let timer { loop.cancel(timer) }
        timer = clock.nextDeadline.map { deadline in
            loop.schedule(at: deadline) { [weak self] in
                self?.timer = nil
                self?.handle(.deadlineReached)
            }
        }
    }

    private func perform(_ action: ProbeClock.Action) {
        switch action {
        case .begin: begin()
        case .abandon: attempt = nil
        case .failing(let failure): onNews(self, .failing(failure))
        case .recovered: onNews(self, .recovered)
        case .unhealthy(let failure): onNews(self, .unhealthy(failure))
        }
    }

    private func begin() {
        let attempt = ProbeAttempt(probe, loop: loop)
        self.attempt = attempt
        attempt.onEnd = { [weak self, weak attempt] failure in
            guard let self, let attempt, self.attempt === attempt else { return }
            self.attempt = nil
            handle(.result(failure: failure))
        }
        attempt.start()
    }
}
