import ArgumentParser
import ControlProtocol

struct PauseCommand: WorkerRequest {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Hold the worker's processes still until it is resumed.",
        discussion: """
            The whole group of processes is frozen, and its watchdog and clocks with it. It can still be stopped.

            EXAMPLES
              holdfast worker pause camera
            """)

    @OptionGroup var worker: WorkerOptions

    var method: RuntimeMethod { .pauseWorker(name: worker.name) }
}
