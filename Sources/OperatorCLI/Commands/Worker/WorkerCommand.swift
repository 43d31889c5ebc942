import ArgumentParser

/// Groups what can be done to one worker.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Start, stop, restart, pause or resume a worker.",
        discussion: """
            Each needs the right to change the runtime: root, or the user who started it. Each returns as soon as the \
            runtime has taken the request, and shows the state that the worker is in by then.

            EXAMPLES
              holdfast worker restart camera
              holdfast worker pause detector && holdfast status
            """,
        subcommands: [
            StartCommand.self, StopCommand.self, RestartCommand.self, PauseCommand.self, ResumeCommand.self,
        ])
}
