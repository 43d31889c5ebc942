import ControlProtocol
import LinuxSystem
import MonotonicTime

/// `holdfast top` on a terminal: draws a frame every second on the alternate screen, until a key or a signal ends it,
/// and leaves the terminal as it was.
final class TopScreen {
    private static let refreshPeriod = Duration.seconds(1)
    /// A hung runtime must not make the keys seem dead.
    private static let longestWait = Duration.milliseconds(900)
    private static let fallbackSize = Terminal.Size(columns: 80, rows: 24)

    private let connection: ConnectionOptions
    private let console: Console
    /// The terminal that keys come from.
    private let keyboard: Int32
    private var client: ControlClient?
    private var sampler = ProcessSampler()
    /// The last frame, shown on while the runtime is silent.
    private var lines: [String] = []

    init(connection: ConnectionOptions, console: Console, keyboard: Int32 = 0) {
        self.connection = connection
        self.console = console
        self.keyboard = keyboard
    }

    /// Throws when the runtime does not answer at the start; later it waits for the runtime to come back.
    func run() throws {
        var first = connection
        first.timeout = min(first.timeout, Self.longestWait.inSeconds)
        client = try first.connect(console)
        try sample()

        let loop = try EventLoop()
        var failure: SystemError?
        func attempt(_ body: () throws(SystemError) -> Void) {
            do throws(SystemError) { try body() } catch {
                failure = error
                loop.stop()
            }
        }
        let ending = [SignalNumber.interrupt, SignalNumber.terminate, SignalNumber.hangUp]
        let signals = try SignalSource(loop: loop, signals: ending + [SignalNumber.windowChanged]) { [self] received in
            if received.signal != SignalNumber.windowChanged { return loop.stop() }
            attempt { () throws(SystemError) in try draw() }
        }
        let keys = try loop.register(keyboard, .readable) { [self] readiness in
            if readsEnd(readiness) { loop.stop() }
        }
        func refresh() {
            loop.schedule(at: loop.now.advanced(by: Self.refreshPeriod)) { [self] in
                refreshReport()
                attempt { () throws(SystemError) in try draw() }
                loop.refreshNow()
                refresh()
            }
        }
        let input = try RawTerminalInput(keyboard)
        try console.write(ScreenControl.enter)
        defer { try? console.write(ScreenControl.leave) }
        try draw()
        refresh()
        try withExtendedLifetime((signals, input)) { try loop.run() }
        loop.unregister(keys)
        if let failure { throw failure }
    }

    /// Whether the operator wants to leave: q, Q, Ctrl-C, Ctrl-D, or a terminal that is gone.
    private func readsEnd(_ readiness: EventLoop.Readiness) -> Bool {
        var keys = [UInt8](repeating: 0, count: 64)
        let count = try? keys.withUnsafeMutableBytes { try SystemCall.read(keyboard, into: $0) }.value
        guard let count, count > 0 else { return !readiness.isDisjoint(with: [.hangUp, .error]) || count == 0 }
        return keys[..<count].contains { [UInt8(ascii: "q"), UInt8(ascii: "Q"), 3, 4].contains($0) }
    }

    private func refreshReport() {
        do {
            if client == nil {
                client = try ControlClient(path: connection.path(console), timeout: Self.longestWait)
            }
            try sample()
        } catch {
            client = nil
            let reason = console.palette(.bad, CommandError(error).message)
            lines = [reason, "waiting for it to come back; q leaves"]
        }
    }

    private func sample() throws(ClientError) {
        guard let report = try client?.status() else { return }
        let rows = sampler.rows(for: report.workers)
        let health = try client?.healthIfKnown()
        lines = TopView(runtime: report.runtime, health: health, rows: rows, palette: console.palette, width: nil).lines
    }

    private func draw() throws(SystemError) {
        let size = Terminal.size(of: 1) ?? Self.fallbackSize
        try console.write(ScreenControl.frame(lines, rows: size.rows))
    }
}
