import ControlProtocol
import ExecutorProtocol
import LinuxSystem
import MonotonicTime

/// The process of the keeper, and the channel to it: there when it is wanted, and told what it needs at its start. Main thread only.
final class KeeperProcess {
    typealias Start = (UnixStream, @escaping (TransientProcess.End) -> Void) throws(KeeperObstacle) -> TransientProcess

    private let loop: EventLoop
    private let channel: SystemChannel
    private var life = KeeperLife()
    private var process: TransientProcess?
    private var timer: TimerID?
    /// What one that is started from now on is told.
    var settings: DeploymentSettings
    /// Why there is none, or was none for a while.
    private(set) var trouble: String?

    /// Starts a keeper, which inherits the socket.
    private let startProcess: Start
    /// Makes a control connection with what a keeper may ask. It gets two: on one of them events come as long as it lives.
    var openControl: () -> UnixStream? = { nil }
    /// Hands one end of a socket to the uplink.
    /// - Returns: whether there is an uplink.
    var offerDownloads: (UnixStream) -> Bool = { _ in false }
    /// Whether somebody waits for something that it is to do.
    var hasOrders: () -> Bool = { false }
    var onStart: () -> Void = {}
    /// It takes orders from now on.
    var onReady: () -> Void = {}
    /// Called with all that it says of deployments.
    var onReport: (ExecutorReport) -> Void = { _ in }
    /// It is not there any more.
    var onGone: () -> Void = {}
    /// It will not be ready for now, for this reason.
    var onUnavailable: (String) -> Void = { _ in }
    /// The same, and when it has died over something; said once for each reason.
    var onTrouble: (String) -> Void = { _ in }

    init(loop: EventLoop, settings: DeploymentSettings, start: @escaping Start) {
        self.loop = loop
        self.settings = settings
        startProcess = start
        channel = SystemChannel(loop: loop, gatheringTime: .zero)
        channel.onPacket = { [weak self] in self?.take($0) }
        channel.onHangUp = { [weak self] in self?.channel.close() }
    }

    var isReady: Bool { life.isReady }
    var isAlive: Bool { life.isAlive }
    var isStopped: Bool { life.isStopped }

    /// Why it cannot be waited for: it has failed, and is tried again later. `nil` when it can.
    var obstacle: String? {
        guard case .waiting = life.phase else { return nil }
        return trouble ?? "\(ExecutorSetup.executor) has died; try again in a moment"
    }

    func want() { handle(.wanted) }

    /// Ends it, and starts none any more.
    func stop() { handle(.stopRequested) }

    /// The runtime goes on after all.
    func resume() { handle(.resumed) }

    /// Says something to one that is ready; what matters is said to the next one when it is.
    func say(_ request: ExecutorRequest) {
        guard life.isReady else { return }
        send(request)
        handle(.sent)
        channel.flush()
    }

    /// Answers what it has asked for, if it is still there.
    func answer(_ step: Int, _ problem: String?) {
        // A packet has little room for what is wrong with hundreds of workers.
        send(.stepEnded(step: step, problem: problem.map { String($0.prefix(Self.longestProblem)) }))
        channel.flush()
    }

    private static let longestProblem = 4000

    /// There is a new uplink: it gets its end of a new socket.
    func uplinkStarted() {
        guard channel.isOpen else { return }
        handOverDownloads()
        channel.flush()
    }

    // MARK: Life

    private func handle(_ event: KeeperLife.Event) {
        for action in life.handle(event, at: loop.now) {
            switch action {
            case .start: start()
            case .brief:
                trouble = nil
                onReady()
            case .closeChannel: channel.close()
            case .kill: process?.kill()
            }
        }
        rearm()
    }

    private func rearm() {
        if let timer = timer.take() { loop.cancel(timer) }
        timer = life.nextDeadline.map { deadline in
            loop.schedule(at: deadline) { [weak self] in
                guard let self else { return }
                timer = nil
                handle(.deadlineReached(hasOrders: hasOrders()))
            }
        }
    }

    private func start() {
        onStart()
        do throws(KeeperObstacle) {
            let theirs = try openChannel()
            process = try startProcess(theirs) { [weak self] in self?.ended($0) }
        } catch {
            channel.close()
            return notStarted(error.message)
        }
        send(.keepDeployments(settings))
        for _ in 0..<2 {
            guard let control = openControl(), let duplicate = try? SystemCall.duplicate(control.rawValue) else {
                break
            }
            send(.control, SharedDescriptor(duplicate))
        }
        handOverDownloads()
        channel.flush()
    }

    private func openChannel() throws(KeeperObstacle) -> UnixStream {
        do throws(SystemError) { return try channel.open() } catch { throw KeeperObstacle(error) }
    }

    private func notStarted(_ reason: String) {
        note(reason)
        // Not within the call that asks for it.
        loop.schedule(at: loop.now) { [weak self] in
            guard let self else { return }
            onUnavailable(reason)
            handle(.notStarted)
        }
    }

    private func ended(_ end: TransientProcess.End) {
        // Its last words.
        channel.close()
        process = nil
        onGone()
        let wasReady = life.isReady
        let wasExpected = life.mayEnd
        if !wasExpected {
            note("\(ExecutorSetup.executor), which keeps the deployments, \(Wording.failure(of: end) ?? "has ended")")
        }
        handle(.ended(hasOrders: hasOrders()))
        if !wasReady, !wasExpected, let trouble { onUnavailable(trouble) }
    }

    private func note(_ trouble: String) {
        guard trouble != self.trouble else { return }
        self.trouble = trouble
        onTrouble(trouble)
    }

    // MARK: Talking

    private func send(_ request: ExecutorRequest, _ descriptor: SharedDescriptor? = nil) {
        channel.send(request.json.serialised(), descriptor)
    }

    private func handOverDownloads() {
        guard let (theirs, uplinks) = try? UnixStream.makePacketPair(), offerDownloads(uplinks),
            let duplicate = try? SystemCall.duplicate(theirs.rawValue)
        else { return }
        send(.downloads, SharedDescriptor(duplicate))
    }

    private func take(_ packet: [UInt8]) {
        guard let json = try? JSONValue.parse(packet), let report = try? ExecutorReport(json: json) else { return }
        switch report {
        case .ready: handle(.ready)
        case .idle(let heard): handle(.idle(heard: heard))
        case .deployment(let deployment):
            if !deployment.state.isEnd { handle(.active) }
            onReport(report)
        case .apply, .selfTest:
            handle(.active)
            onReport(report)
        case .bundle, .abandonStep, .log: onReport(report)
        // Those of another kind of executor.
        case .startHost, .progress, .result, .ended, .unknown: break
        }
    }
}

/// Why a keeper cannot be started.
struct KeeperObstacle: Error {
    var message: String

    init(_ message: String) { self.message = message }
    init(_ error: SystemError) { message = "\(ExecutorSetup.executor) cannot be started: \(error)" }
}
