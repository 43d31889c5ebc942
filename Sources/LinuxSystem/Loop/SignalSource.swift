import CLinux
import Glibc

/// A signal that arrived, and who sent it (signalfd(2)).
package struct SignalInfo: Hashable, Sendable {
    package var signal: Int32
    /// The sender, for signals sent by a process.
    package var pid: Int32
    package var uid: UInt32
}

/// The signals that the runtime itself reacts to, by their numbers on Linux (signal(7)).
package enum SignalNumber {
    package static let hangUp: Int32 = SIGHUP
    package static let interrupt: Int32 = SIGINT
    package static let kill: Int32 = SIGKILL
    package static let user1: Int32 = SIGUSR1
    package static let user2: Int32 = SIGUSR2
    package static let pipe: Int32 = SIGPIPE
    package static let terminate: Int32 = SIGTERM
    package static let child: Int32 = SIGCHLD
    package static let `continue`: Int32 = SIGCONT
    package static let stop: Int32 = SIGSTOP

    /// "SIGTERM" for 15; "SIG 64" for those without a name.
    package static func name(_ signal: Int32) -> String {
        guard let name = hf_signal_name(signal) else { return "SIG \(signal)" }
        return "SIG" + String(cString: name)
    }
}

/// Signals as events of the loop: blocked for the calling thread and read from a signalfd. Create it on the main
/// thread before any other thread exists, for threads inherit the mask. Handled last within a wake-up.
package final class SignalSource {
    private let descriptor: Descriptor
    private let loop: EventLoop
    private let handler: (SignalInfo) -> Void
    private var registration: EventLoop.Registration?
    private var previousMask = sigset_t()

    package init(
        loop: EventLoop, signals: [Int32], handler: @escaping (SignalInfo) -> Void
    ) throws(SystemError) {
        var mask = sigset_t()
        sigemptyset(&mask)
        for signal in signals { sigaddset(&mask, signal) }
        descriptor = Descriptor(
            owning: try SystemCall.perform("signalfd") {
                signalfd(-1, &mask, Int32(hf_sfd_cloexec | hf_sfd_nonblock))
            })
        self.loop = loop
        self.handler = handler
        pthread_sigmask(SIG_BLOCK, &mask, &previousMask)
        registration = try loop.register(descriptor.rawValue, .readable, order: .last) { [weak self] _ in
            self?.drain()
        }
    }

    deinit {
        if let registration { loop.unregister(registration) }
        pthread_sigmask(SIG_SETMASK, &previousMask, nil)
    }

    private func drain() {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        while true {
            let count = Glibc.read(descriptor.rawValue, &info, size)
            if count < 0 && errno == EINTR { continue }
            guard count == size else { return }
            handler(SignalInfo(signal: Int32(info.ssi_signo), pid: Int32(info.ssi_pid), uid: info.ssi_uid))
        }
    }

    /// Blocks signals for the calling thread: one that comes before its source is there waits for it, instead of ending
    /// the process. Their handling is the default, whatever was inherited: with SIGCHLD ignored the kernel would throw
    /// the exit status of every child away (sigaction(2)).
    package static func hold(_ signals: [Int32]) {
        var mask = sigset_t()
        sigemptyset(&mask)
        for number in signals { sigaddset(&mask, number) }
        pthread_sigmask(SIG_BLOCK, &mask, nil)
        for number in signals { signal(number, SIG_DFL) }
    }

    /// Ignores SIGPIPE for the process: a write to a closed pipe is then an error like any other. Children get the
    /// default back.
    package static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }
}
