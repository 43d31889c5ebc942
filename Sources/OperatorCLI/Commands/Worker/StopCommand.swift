import ArgumentParser
import ControlProtocol

struct StopCommand: WorkerRequest {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop the worker, and keep it stopped.",
        discussion: """
            It is asked by its stop signal, given its grace time, and killed after that. It stays stopped until it is started \
            again, or the runtime itself is restarted.

            EXAMPLES
              holdfast worker stop camera
            """)

    @OptionGroup var worker: WorkerOptions

    var method: RuntimeMethod { .stopWorker(name: worker.name) }
}
