import ControlProtocol
import LinuxSystem
import MonotonicTime
import PluginSession

/// One command in one plugin, on this machine and with the rights of whoever tries it.
struct PluginTrial {
    /// What the plugin did on the way.
    enum Event {
        case log(PluginLogLevel, String)
        case progress(Int?, String)
        case reading(JSONObject)
        /// Something about the trial itself.
        case notice(String)
    }

    var file: PluginFile
    var host: String
    var order: TrialOrder
    var timeLimit: Duration
    var stateDirectory: String
    var requests: TrialRequests
    var onEvent: (Event) -> Void

    /// - Returns: the end, and how long it took from before the process was started.
    func run() throws -> (end: PluginSession.End, took: Duration) {
        let library = try file.sealed()
        let loop = try EventLoop()
        let began = MonotonicClock.now()
        let process = try PluginHostProcess(
            loop: loop, path: host, environment: PluginHost.environment(for: file),
            output: .descriptors(output: 2, error: 2))
        let session = PluginSession(
            loop: loop, socket: process.socket, library: library,
            order: .init(
                id: order.id, kind: order.kind, payload: order.payload.serialised(), timeLimit: timeLimit,
                stateDirectory: stateDirectory))
        var end: PluginSession.End?
        var took = Duration.zero
        session.onLog = { onEvent(.log($0, $1)) }
        session.onProgress = { onEvent(.progress($0, $1)) }
        session.onRequest = { request, answer in answer(requests.answer(request)) }
        session.onEnd = {
            end = $0
            took = began.duration(to: MonotonicClock.now())
            process.kill()
        }
        process.onExit = { exit in
            session.hostEnded(exit, memoryExceeded: false)
            loop.stop()
        }
        var interrupts = 0
        let signals = try SignalSource(loop: loop, signals: [SignalNumber.interrupt, SignalNumber.terminate]) { _ in
            interrupts += 1
            guard interrupts == 1 else { return process.kill() }
            onEvent(.notice("told to stop; once more ends it at once"))
            session.cancel("cancelled")
        }
        try session.start()
        try loop.run()
        withExtendedLifetime(signals) {}
        guard let end else { throw CommandError(code: .failed, message: "the trial has no end") }
        return (end, took)
    }
}
