import CPluginABI
import CPluginFrames
package import LinuxSystem
import MonotonicTime

/// What a plugin says of itself, found out by a plugin host that loads it and calls its entry: code of the plugin runs there,
/// and not here. As with `PluginSession`, the owner of the host's process says how it ended, and kills it after `onEnd`.
package final class PluginInspection {
    /// A kind of command, as the descriptor has it.
    package struct Kind: Equatable, Sendable {
        package var name: String
        package var summary: String?
        package var isParallel: Bool
        package var isRepeatable: Bool
        package var isCancellable: Bool
    }

    /// What was found out; nothing of it is trustworthy.
    package struct Report: Equatable, Sendable {
        package var name: String?
        package var version: String?
        package var summary: String?
        package var kinds: [Kind] = []
        /// What it wishes to be granted, by any name.
        package var grants: [String] = []
        package var abiVersion: Int?
        /// Everything that is wrong; empty for a plugin that can be used.
        package var faults: [PluginFailure] = []
    }

    /// More facts than a valid descriptor has.
    private static let mostFacts = 64
    private static let mostFaults = 128

    private let loop: EventLoop
    private let socket: HostSocket
    private let library: SharedDescriptor
    private let timeLimit: Duration
    private var timer: TimerID?
    private var report = Report()
    private var facts = 0
    private var hasBegun = false
    private var hasEnded = false

    /// Called exactly once after `start`.
    package var onEnd: (Report) -> Void = { _ in }

    /// - Parameter library: the plugin, sealed; it is sent to the host.
    package init(
        loop: EventLoop, socket: UnixStream, library: SharedDescriptor, timeLimit: Duration = .seconds(10)
    ) {
        self.loop = loop
        self.socket = HostSocket(loop: loop, socket: socket)
        self.library = library
        self.timeLimit = timeLimit
    }

    deinit {
        if let timer { loop.cancel(timer) }
    }

    package func start() throws(SystemError) {
        socket.onFrame = { [weak self] in self?.handle($0) }
        socket.onNonsense = { [weak self] in self?.fail(.garbled, "it has written nonsense to its host's socket") }
        try socket.start()
        timer = loop.schedule(at: MonotonicClock.now().advanced(by: timeLimit)) { [weak self] in
            guard let self else { return }
            fail(.hung, "it was not loaded within \(PluginSession.Stop.text(timeLimit))")
        }
        socket.send(PluginFrame(HF_FRAME_INSPECT, number: HF_FRAMES_VERSION), descriptor: library)
    }

    /// The host's process has ended. What it had sent before still counts.
    package func hostEnded(_ exit: ProcessExit) {
        socket.drain()
        switch exit {
        case .signaled(let signal, _):
            let name = SignalNumber.name(signal)
            // The linker maps what the head promises, and finds nothing there.
            fail(.crashed, "it crashes when it is loaded: \(name)\(name == "SIGBUS" ? " (is the file cut off?)" : "")")
        case .exited(let code) where hasBegun:
            fail(.exited, "it ends its process when it is loaded, with status \(code)")
        case .exited(let code): fail(.host, "the plugin host ended with status \(code) before it loaded the plugin")
        case .unknown: fail(.crashed, "its process has ended while it was loaded")
        }
    }

    private func handle(_ received: PluginFrame) {
        var frame = received
        switch hf_frame_type(rawValue: frame.type) {
        case HF_FRAME_HELLO:
            hasBegun = true
            guard frame.number == HF_FRAMES_VERSION else {
                return fail(.host, "the plugin host is of another version of Holdfast: install them together")
            }
        case HF_FRAME_FACT:
            facts += 1
            if facts <= Self.mostFacts { note(&frame) }
        case HF_FRAME_FAULT:
            guard report.faults.count < Self.mostFaults else { return }
            let words = PluginSession.line(frame.takeText(), longest: PluginLimits.longestWords)
            report.faults.append(PluginFailure(PluginSession.code(ofFault: frame.number), words))
        case HF_FRAME_DONE: finish()
        default: fail(.garbled, "it has written nonsense to its host's socket")
        }
    }

    private func note(_ frame: inout PluginFrame) {
        let text = PluginSession.line(frame.takeText(), longest: PluginLimits.longestWords)
        switch hf_fact(rawValue: UInt32(bitPattern: frame.number)) {
        case HF_FACT_NAME: report.name = text
        case HF_FACT_VERSION: report.version = text
        case HF_FACT_SUMMARY: report.summary = text
        case HF_FACT_GRANT: report.grants.append(text)
        case HF_FACT_ABI: report.abiVersion = Int(frame.value)
        case HF_FACT_KIND:
            let summary = PluginSession.line(frame.takeText(), longest: PluginLimits.longestWords)
            let flags = Int(frame.value)
            report.kinds.append(
                Kind(
                    name: text, summary: summary.isEmpty ? nil : summary,
                    isParallel: flags & Int(HF_KIND_PARALLEL) != 0,
                    isRepeatable: flags & Int(HF_KIND_REPEATABLE) != 0,
                    isCancellable: flags & Int(HF_KIND_CANCELLABLE) != 0))
        default: break
        }
    }

    private func fail(_ code: PluginFailure.Code, _ message: String) {
        guard !hasEnded else { return }
        report.faults.append(PluginFailure(code, message))
        finish()
    }

    private func finish() {
        guard !hasEnded else { return }
        hasEnded = true
        if let timer { loop.cancel(timer) }
        socket.close()
        library.close()
        onEnd(report)
    }
}
