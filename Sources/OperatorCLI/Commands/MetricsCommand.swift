import ArgumentParser
import ControlProtocol

struct MetricsCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Print metrics of the device and its workers for Prometheus.",
        discussion: """
            The text format of Prometheus, for the textfile collector of its node exporter, say. With metrics_port in \
            [preservation] the same text is served at http://127.0.0.1:PORT/metrics.

            EXAMPLES
              holdfast metrics
              holdfast metrics | promtool check metrics
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        let client = try connection.connect(console)
        let reply = try client.call(.metrics)
        if output.json { return try console.print(reply) }
        try console.write(try client.decode(reply, as: MetricsReply.self).text)
    }
}
