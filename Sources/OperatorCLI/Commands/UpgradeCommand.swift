import ArgumentParser
import ControlProtocol
import LinuxSystem
import MonotonicTime

struct UpgradeCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Let another binary of the runtime take over, with the same workers.",
        discussion: """
            The runtime asks the new binary whether it starts here, accepts the configuration, and can take over; then it \
            executes it in its own place. Workers keep running and keep their pids. When the binary is refused, the old \
            runtime runs on.

            EXAMPLES
              holdfast upgrade                                     after the installed file was replaced
              holdfast upgrade --binary /opt/holdfast-2/holdfastd  another file
            """)

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The binary. (default: the file that the runtime was started from)", valueName: "path"),
        completion: .file())
    var binary: String?

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let before = try connection.connect(console).status()
        let asked = MonotonicClock.now()
        do {
            _ = try connection.connect(console).call(.upgrade(binary: binary))
        } catch ClientError.disconnected {
            // The old runtime is gone; there is nobody left to answer.
        }
        let after = try awaitSuccessor(of: before, startedAfter: asked, console)
        let report = UpgradeReport(before: before, after: after)
        if output.json { return try console.print(report.json) }
        try console.print(report.lines)
    }

    /// The runtime that has taken over answers at the same place in a moment.
    private func awaitSuccessor(
        of before: StatusReport, startedAfter asked: MonotonicInstant, _ console: Console
    ) throws -> StatusReport {
        let deadline = MonotonicClock.now().advanced(by: .seconds(connection.timeout))
        while true {
            do {
                let asking = MonotonicClock.now()
                let status = try connection.connect(console).status()
                // The uptime alone says nothing: the one before may have started but a moment ago.
                let isNew = asked.duration(to: asking) > .seconds(status.runtime.uptime)
                if isNew || status.runtime.pid != before.runtime.pid { return status }
            } catch {
                guard MonotonicClock.now() < deadline else { throw error }
            }
            guard MonotonicClock.now() < deadline else {
                throw CommandError(
                    code: .upgradeRefused, message: "not upgraded: the old runtime still runs (see holdfast events)")
            }
            SystemCall.sleep(for: .milliseconds(20))
        }
    }
}
