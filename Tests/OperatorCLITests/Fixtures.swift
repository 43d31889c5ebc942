import ControlProtocol

@testable import OperatorCLI

/// A runtime in every kind of trouble.
enum Fixtures {
    static let killed = ExitReport(status: "signaled", signal: "SIGKILL", cause: "signal", message: "killed by SIGKILL")
    static let exited = ExitReport(status: "exited", code: 3, cause: "exit", message: "exited with status 3")

    static let status = StatusReport(
        runtime: RuntimeReport(
            version: "0.1.0", pid: 4711, state: "running", uptime: 11_525, name: "press-line-4", warnings: []),
        supervisors: [
            supervisor("root", nil, ["system", "vision", "logger"]),
            supervisor("system", "root", ["holdfast-output"]),
            supervisor("vision", "root", ["camera", "detector", "batch"], "rest-for-one", made: 2, of: 5, within: 30),
        ],
        workers: [
            worker("holdfast-output", "system", "ready", pid: 4712, uptime: 11_525, isEssential: true),
            worker("camera", "vision", "ready", pid: 4720, uptime: 192, isEssential: true, status: "30 frames/s"),
            worker(
                "detector", "vision", "backing-off", restarts: 4, next: 3.2, left: 3, last: killed),
            worker("batch", "vision", "paused", pid: 4722, uptime: 60, pausedFor: ["heat", "operator"]),
            worker("logger", "root", "failed", restarts: 12, next: 282, left: 0, last: exited),
        ])

    static let hot = HealthReport(
        level: "shed", isThrottled: true, throttledBy: "nice and SCHED_BATCH", interval: 5,
        sensors: [
            SensorReport(
                name: "coretemp-isa-0000/Package id 0", kind: "temperature", value: 77, limit: 100, level: "shed",
                forecast: ForecastReport(value: 79.1, horizon: 30, meanError: 0.4, isTrusted: true)),
            SensorReport(name: "nct6775/fan1", kind: "fan", value: 1200, level: "normal"),
            SensorReport(
                name: "nvme-pci-0100/Composite", kind: "temperature", fault: "implausible", level: "normal"),
            SensorReport(
                name: "thermal_zone0/soc", kind: "temperature", value: 51.5, level: "throttle",
                forecast: ForecastReport(value: 90, horizon: 30, meanError: 9, isTrusted: false)),
        ],
        quantities: [
            QuantityReport(name: "disk:/var", value: 71, level: "normal"),
            QuantityReport(name: "load", value: 0.25, level: "normal"), QuantityReport(name: "memory", level: "normal"),
        ],
        causes: [
            CauseReport(
                cause: "heat", level: "shed", why: "coretemp-isa-0000/Package id 0 is at 77.0 °C",
                shed: ["training", "upload"], nextShed: 3.2),
            CauseReport(cause: "memory", level: "throttle", shed: ["training"], relief: 12, nextRestore: 22),
            CauseReport(cause: "pressure", level: "normal"),
        ],
        workers: [
            WorkerUseReport(
                name: "web",
                probes: [
                    ProbeReport(
                        name: "page", kind: "http", state: "failing", failures: 2, lastFailure: "status 500"),
                    ProbeReport(name: "port", kind: "tcp", state: "passing"),
                    ProbeReport(name: "self", kind: "exec", state: "suspended"),
                ])
        ],
        warnings: ["there is no libsensors here"])

    static func supervisor(
        _ name: String, _ parent: String?, _ children: [String], _ strategy: String = "one-for-one", made: Int = 0,
        of maximum: Int = 10, within: Double = 60, state: String = "up", next: Double? = nil
    ) -> SupervisorReport {
        SupervisorReport(
            name: name, parent: parent, strategy: strategy, maxRestarts: maximum, within: within,
            restartsInWindow: made, state: state, nextAttempt: next, children: children)
    }

    static func worker(
        _ name: String, _ supervisor: String, _ state: String, pid: Int? = nil, uptime: Double? = nil,
        isEssential: Bool = false, restarts: Int = 0, pausedFor: [String] = [], heldFor: String? = nil,
        next: Double? = nil, left: Int? = nil, forgotten: Double? = nil, last: ExitReport? = nil, status: String? = nil
    ) -> WorkerReport {
        WorkerReport(
            name: name, supervisor: supervisor, state: state, pid: pid, isReady: state == "ready",
            isEssential: isEssential, restarts: restarts, pauseReasons: pausedFor, heldFor: heldFor, nextAttempt: next,
            attemptsLeft: left, failuresForgotten: forgotten, lastExit: last, uptime: uptime, statusText: status)
    }
}

/// A console that keeps what is written.
final class RecordedConsole {
    private(set) var output = ""
    private(set) var error = ""
    private var surroundings: Console.Surroundings

    private let input: [UInt8]

    init(_ surroundings: Console.Surroundings = Console.Surroundings(), input: [UInt8] = []) {
        self.surroundings = surroundings
        self.input = input
    }

    /// Runs one command line, split at blanks.
    func run(_ commandLine: String) -> Int32 { run(commandLine.split(separator: " ").map(String.init)) }

    func run(_ arguments: [String]) -> Int32 {
        let console = Console(
            surroundings,
            output: { [self] in output += String(decoding: $0, as: UTF8.self) },
            error: { [self] in error += String(decoding: $0, as: UTF8.self) },
            input: { [self] in Array(input.prefix($0)) })
        return OperatorProgram.run(arguments, on: console)
    }
}
