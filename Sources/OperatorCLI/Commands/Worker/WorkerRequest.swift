import ArgumentParser
import ControlProtocol

/// What all commands on one worker have in common.
struct WorkerOptions: ParsableArguments {
    @Argument(help: "The worker's name.", completion: WorkerNameCompletion.kind)
    var name: String

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions
}

/// A command that asks something of one worker, and then shows the worker.
protocol WorkerRequest: OperatorCommand {
    var worker: WorkerOptions { get }
    var method: RuntimeMethod { get }
}

extension WorkerRequest {
    var output: OutputOptions { worker.output }

    func perform(on console: Console) throws {
        let client = try worker.connection.askingForWorker(console) {
            let client = try worker.connection.connect(console)
            _ = try client.call(method)
            return client
        }
        let report = try client.status().workers.first { $0.name == worker.name }
        if worker.output.json { return try console.print(["worker": report.json]) }
        // A reload may have removed it between the two calls.
        guard let report else { return }
        try console.print("\(report.name): \(WorkerNotes.sentence(report, console.palette))")
    }
}
