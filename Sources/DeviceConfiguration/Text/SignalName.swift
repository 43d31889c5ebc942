import Supervision

/// Signals by the names that the configuration knows (signal(7); the numbers hold on all architectures that Holdfast
/// is built for). Those that stop or resume a process are the supervisor's own tools and have no name here.
enum SignalName {
    private static let numbers: [(name: String, number: Int32)] = [
        ("SIGHUP", 1), ("SIGINT", 2), ("SIGQUIT", 3), ("SIGABRT", 6), ("SIGKILL", 9), ("SIGUSR1", 10),
        ("SIGUSR2", 12), ("SIGALRM", 14), ("SIGTERM", 15), ("SIGWINCH", 28), ("SIGPWR", 30),
    ]

    /// Those that may ask a worker to end.
    static let asking = numbers.map(\.name).filter { $0 != "SIGKILL" }
    /// Those that may end a hung worker.
    static let ending = numbers.map(\.name)

    static func signal(named name: String) -> Signal? {
        numbers.first { $0.name == name }.map { Signal(rawValue: $0.number) }
    }

    static func render(_ signal: Signal) -> String {
        numbers.first { $0.number == signal.rawValue }?.name ?? "\(signal.rawValue)"
    }
}
