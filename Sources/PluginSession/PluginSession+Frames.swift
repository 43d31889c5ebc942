import CPluginFrames
import ControlProtocol
import LinuxSystem
import MonotonicTime

extension PluginSession {
    static let closedStatus = Int32(HF_EXIT_CLOSED.rawValue)

    func handle(_ received: PluginFrame) {
        var frame = received
        switch hf_frame_type(rawValue: frame.type) {
        case HF_FRAME_HELLO:
            guard case .starting = stage else { return garbled() }
            guard frame.number == HF_FRAMES_VERSION else {
                return fail(.host, "the plugin host is of another version of Holdfast: install them together")
            }
            stage = .loading
        case HF_FRAME_FACT: break
        case HF_FRAME_FAULT: fail(Self.code(ofFault: frame.number), line(&frame, PluginLimits.longestWords))
        case HF_FRAME_STARTED:
            guard case .loading = stage else { return garbled() }
            stage = .executing(isCancellable: frame.value != 0)
        case HF_FRAME_LOG: log(&frame)
        case HF_FRAME_PROGRESS:
            let percent = (0...100).contains(frame.number) ? Int(frame.number) : nil
            report(percent, line(&frame, PluginLimits.longestWords))
        case HF_FRAME_REQUEST: take(frame)
        case HF_FRAME_RESULT:
            guard result.count + frame.body.count <= order.limits.longestResult else {
                return fail(.resultTooLong, resultTooLong)
            }
            result.append(contentsOf: frame.body)
        case HF_FRAME_FAILURE: reason = line(&frame, PluginLimits.longestWords)
        case HF_FRAME_DONE: done(frame)
        default: garbled()
        }
    }

    func garbled() {
        fail(.garbled, "the plugin has written nonsense to its host's socket")
    }

    private var resultTooLong: String { "its result is longer than the \(order.limits.longestResult) bytes allowed" }

    private func done(_ frame: PluginFrame) {
        guard case .executing = stage else { return garbled() }
        let state = UInt32(truncatingIfNeeded: frame.value)
        if frame.number != 0 {
            if let stop { return finish(.failed(stopFailure(stop, hasIgnored: false, says: reason))) }
            return fail(.failed, reason ?? "the plugin says that it failed (\(frame.number)), and not why")
        }
        switch hf_result_state(rawValue: state) {
        case HF_RESULT_SET: break
        case HF_RESULT_TOO_LONG: return fail(.resultTooLong, resultTooLong)
        default: return fail(.noResult, "it returned as if it had succeeded, and set no result")
        }
        do throws(JSONError) {
            let limits = JSONLimits(maximumBytes: order.limits.longestResult, maximumDepth: 16)
            finish(.succeeded(result: try JSONValue.parse(result, limits: limits)))
        } catch {
            fail(.badResult, "its result is not JSON: \(error)")
        }
    }

    private func log(_ frame: inout PluginFrame) {
        let level = PluginLogLevel(rawValue: frame.number) ?? .info
        let text = line(&frame, PluginLimits.longestLine)
        let verdict = lines.take(at: MonotonicClock.now())
        if let notice = verdict.notice { onLog(.warning, notice) }
        if verdict.isTaken { onLog(level, text) }
    }

    private func report(_ percent: Int?, _ words: String) {
        switch progress.take((percent, words), at: MonotonicClock.now()) {
        case .now(let report): onProgress(report.percent, report.words)
        case .at(let time):
            progressTimer = loop.schedule(at: time) { [weak self] in self?.reportWaitingProgress() }
        case .later: break
        }
    }

    func reportWaitingProgress() {
        if let progressTimer { loop.cancel(progressTimer) }
        progressTimer = nil
        guard let report = progress.takeWaiting(at: MonotonicClock.now()) else { return }
        onProgress(report.percent, report.words)
    }

    private func line(_ frame: inout PluginFrame, _ longest: Int) -> String {
        Self.line(frame.takeText(), longest: longest)
    }

    /// One line of at most so many bytes and a mark.
    static func line(_ text: String, longest: Int) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            line.unicodeScalars.append(scalar == "\n" || scalar == "\r" ? " " : scalar)
            if line.utf8.count > longest {
                line.unicodeScalars.removeLast()
                return line + "…"
            }
        }
        return line
    }

    static func code(ofFault number: Int32) -> PluginFailure.Code {
        switch hf_fault(rawValue: UInt32(bitPattern: number)) {
        case HF_FAULT_LOAD: .notLoadable
        case HF_FAULT_ENTRY, HF_FAULT_DESCRIPTOR: .badDescriptor
        case HF_FAULT_ABI: .wrongABI
        case HF_FAULT_KIND: .unknownKind
        default: .host
        }
    }
}
