import LinuxSystem
import MonotonicTime

extension PluginSession {
    /// How far the host has come.
    enum Stage {
        /// It has said nothing yet.
        case starting
        /// It loads the plugin, whose constructors run.
        case loading
        /// The plugin executes the command.
        case executing(isCancellable: Bool)
    }

    /// Why the plugin is to stop.
    enum Stop: Equatable {
        case cancelled(String)
        case timeOver

        var isTimeOver: Bool { self == .timeOver }

        func words(_ limit: Duration) -> String {
            switch self {
            case .cancelled(let reason): reason
            case .timeOver: "its time limit of \(Self.text(limit)) is over"
            }
        }

        static func text(_ duration: Duration) -> String {
            let milliseconds = duration.wholeNanoseconds / 1_000_000
            return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
        }
    }

    func stopFailure(_ why: Stop, hasIgnored: Bool, says: String? = nil) -> PluginFailure {
        let words = says.map { ": \($0)" } ?? ""
        let grace = Stop.text(order.limits.stopGrace)
        switch why {
        case .cancelled(let reason):
            return PluginFailure(
                .cancelled, "\(reason)\(hasIgnored ? "; it was told, and had not stopped \(grace) later" : words)")
        case .timeOver:
            let limit = Stop.text(order.timeLimit)
            switch stage {
            case .starting: return PluginFailure(.host, "the plugin host said nothing within \(limit)")
            case .loading: return PluginFailure(.hung, "the plugin was not loaded within \(limit)")
            case .executing(let isCancellable):
                guard hasIgnored else {
                    return PluginFailure(.timedOut, "it was not done within \(limit), and stopped when told\(words)")
                }
                return isCancellable
                    ? PluginFailure(
                        .hung, "it was not done within \(limit); it was told, and had not stopped \(grace) later")
                    : PluginFailure(.hung, "it was not done within \(limit)")
            }
        }
    }

    /// What it means that the process has ended without a word.
    func failure(of exit: ProcessExit, memoryExceeded: Bool) -> PluginFailure {
        if memoryExceeded { return PluginFailure(.memory, "it needed more memory than it may have, and was ended") }
        let place =
            switch stage {
            case .starting: "before the plugin was loaded"
            case .loading: "while the plugin was loaded"
            case .executing: "while it executed \(order.kind)"
            }
        switch exit {
        case .signaled(let signal, let coreDumped):
            let hint =
                switch SignalNumber.name(signal) {
                case "SIGABRT": " (it called abort: see what it printed)"
                case "SIGSYS": " (it made a system call that plugins may not make)"
                case "SIGXCPU": " (it used more processor time than it may)"
                case "SIGXFSZ": " (it wrote a larger file than it may)"
                case "SIGKILL": " (somebody, or the kernel for want of memory, ended it)"
                default: ""
                }
            let core = coreDumped ? ", core dumped" : ""
            return PluginFailure(.crashed, "it crashed \(place): \(SignalNumber.name(signal))\(hint)\(core)")
        case .exited(let code):
            if case .starting = stage {
                return PluginFailure(.host, "the plugin host ended with status \(code) \(place)")
            }
            if code == Self.closedStatus {
                return PluginFailure(.disconnected, "the plugin has closed its host's socket (descriptor 3)")
            }
            return PluginFailure(.exited, "it ended its process with status \(code) instead of returning, \(place)")
        case .unknown:
            return PluginFailure(.crashed, "its process has ended \(place), and nobody knows how")
        }
    }
}
