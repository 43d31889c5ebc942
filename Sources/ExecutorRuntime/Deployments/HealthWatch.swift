import ControlProtocol
import Deployment
import LinuxSystem
import MonotonicTime
import PluginSession
import SystemProcess

/// Watches the workers of bundles that have to prove themselves: looks at the whole tree whenever something happens in it, and
/// at probes once in a while. Does nothing while there is nothing to watch.
final class HealthWatch {
    private struct Watched {
        var health: BundleHealth
        var last: DeploymentMachine.Health?
        let onChange: (DeploymentMachine.Health) -> Void
    }

    private let loop: EventLoop
    /// Answers what is asked.
    private var questions: RuntimeQuestions?
    /// Says that something has happened.
    private var events: VarlinkStream?
    private var watched: [String: Watched] = [:]
    private var timer: TimerID?
    private var isAsking = false
    private var hasChanged = false

    /// A start is several events.
    private static let gathering: Duration = .milliseconds(20)
    /// Probes that pass are no event; and should an event ever be missed, it is made up for.
    private static let interval: Duration = .seconds(1)

    init(loop: EventLoop) { self.loop = loop }

    deinit {
        if let timer { loop.cancel(timer) }
    }

    /// The first connection is for questions, the second one for events.
    func connect(_ descriptor: SharedDescriptor?) throws(SystemError) {
        guard let socket = descriptor?.take() else { return }
        if questions == nil {
            questions = try RuntimeQuestions(loop: loop, socket: socket)
            return
        }
        try SystemCall.setNonBlocking(socket.rawValue)
        let stream = try VarlinkStream(loop: loop, stream: UnixStream(owning: socket))
        stream.onReply = { [weak self] _ in self?.somethingHappened() }
        stream.send(RuntimeMethod.events(since: nil, follow: true).call)
        events = stream
    }

    /// - Parameter onChange: called later, with how it stands first, and then whenever that changes.
    func watch(_ contract: BundleContract, onChange: @escaping (DeploymentMachine.Health) -> Void) {
        watched[contract.bundle] = Watched(health: BundleHealth(contract), onChange: onChange)
        somethingHappened()
    }

    func forget(_ bundle: String) {
        watched[bundle] = nil
        guard watched.isEmpty, let timer else { return }
        loop.cancel(timer)
        self.timer = nil
    }

    private func somethingHappened() {
        guard !watched.isEmpty else { return }
        hasChanged = true
        look(after: Self.gathering)
    }

    private func look(after delay: Duration) {
        guard !isAsking else { return }
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(at: loop.now + delay) { [weak self] in
            self?.timer = nil
            self?.look()
        }
    }

    private func look() {
        guard let questions, !watched.isEmpty else { return }
        (isAsking, hasChanged) = (true, false)
        questions.ask(RuntimeMethod.Name.status.rawValue, [:]) { [weak self] answer in
            guard let self else { return }
            guard case .success(let reply) = answer, let status = try? StatusReport(json: reply.json) else {
                return ended()
            }
            askForProbes(status, questions)
        }
    }

    private func askForProbes(_ status: StatusReport, _ questions: RuntimeQuestions) {
        guard watched.values.contains(where: { !$0.health.contract.probes.isEmpty }) else { return judge(status, nil) }
        questions.ask(RuntimeMethod.Name.health.rawValue, [:]) { [weak self] answer in
            var use: [WorkerUseReport]?
            if case .success(let reply) = answer { use = (try? HealthReport(json: reply.json))?.workers }
            self?.judge(status, use)
        }
    }

    private func judge(_ status: StatusReport, _ use: [WorkerUseReport]?) {
        for bundle in watched.keys.sorted() {
            // Whoever hears of the one before may have ended the watch.
            guard var one = watched[bundle] else { continue }
            let found = one.health.judge(status, use)
            var news: [DeploymentMachine.Health] = []
            for health in found where health != one.last {
                news.append(health)
                one.last = health
            }
            watched[bundle] = one
            for health in news { one.onChange(health) }
        }
        ended()
    }

    private func ended() {
        isAsking = false
        guard !watched.isEmpty else { return }
        look(after: hasChanged ? Self.gathering : Self.interval)
    }
}
