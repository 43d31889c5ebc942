import ArgumentParser
import ControlProtocol

struct ResumeCommand: WorkerRequest {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a paused worker go on.",
        discussion: """
            It stays paused when the device itself holds it for another reason, such as heat.

            EXAMPLES
              holdfast worker resume camera
            """)

    @OptionGroup var worker: WorkerOptions

    var method: RuntimeMethod { .resumeWorker(name: worker.name) }
}
