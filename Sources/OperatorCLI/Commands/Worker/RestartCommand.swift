import ArgumentParser
import ControlProtocol

struct RestartCommand: WorkerRequest {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Stop the worker if it runs, then start it, and forget its failures.",
        discussion: """
            This restart does not count as a failure, and not towards the restart intensity.

            EXAMPLES
              holdfast worker restart camera
            """)

    @OptionGroup var worker: WorkerOptions

    var method: RuntimeMethod { .restartWorker(name: worker.name) }
}
