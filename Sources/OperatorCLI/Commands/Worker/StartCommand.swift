import ArgumentParser
import ControlProtocol

struct StartCommand: WorkerRequest {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Want the worker to run, and forget its failures.",
        discussion: """
            Also the way to try a worker again at once that waits in back-off, or has failed.

            EXAMPLES
              holdfast worker start camera
            """)

    @OptionGroup var worker: WorkerOptions

    var method: RuntimeMethod { .startWorker(name: worker.name) }
}
