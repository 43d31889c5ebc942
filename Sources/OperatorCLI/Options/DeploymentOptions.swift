import ArgumentParser
import ControlProtocol

/// What `deploy` and `rollback` have in common.
struct DeploymentOptions: ParsableArguments {
    @Flag(name: .long, help: "Take a version that has failed here, and go back also where the data cannot.")
    var force = false

    @Option(
        name: .long,
        help: ArgumentHelp("Names the deployment: the same one is not made twice. (default: a new one)"))
    var id: String?

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    /// Asks for a deployment, and tells how it goes on until its end.
    /// - Parameter version: may be abbreviated to what only one version of the bundle begins with.
    func follow(
        _ intent: DeploymentOrder.Intent, of bundle: String, _ version: String?, file: String? = nil,
        downloadWithin: Duration? = nil, on console: Console
    ) throws {
        let client = try connection.connect(console)
        var random = SystemRandomNumberGenerator()
        let id = id ?? "cli-\(String(UInt64.random(in: .min ... .max, using: &random), radix: 16))"
        let order = DeploymentOrder(
            id: id, bundle: bundle, intent, version: try version.map { try complete($0, of: bundle, client) },
            file: file, isForced: force, downloadWithin: downloadWithin)
        if !output.json, self.id == nil { console.complain(verbatim: console.palette(.faint, "deployment \(id)")) }
        var lines = DeploymentLines(palette: console.palette)
        var end: DeploymentReport?
        try client.stream(.deploy(order), as: DeploymentReport.self, waitsForEver: true) { report in
            if report.state.isEnd { end = report }
            if output.json { return try console.print(report.json) }
            if let line = lines.line(report) { try console.print(line) }
        }
        guard let end else { throw CommandError(code: .protocolViolation, message: "the runtime has told no end") }
        guard end.state == .committed else {
            throw CommandError(
                code: .deploymentFailed,
                message: "\(end.state.rawValue): " + DeploymentLines.reason(end, otherwise: "no reason was given"))
        }
    }

    /// The version that is meant. One that the device does not know stays as it is: it may be one that is to be fetched.
    private func complete(_ version: String, of bundle: String, _ client: ControlClient) throws -> String {
        guard !version.contains("@") || version.split(separator: "@").last.map({ $0.count < Self.hashLength }) ?? true
        else { return version }
        let reply = try client.call(.deployments, as: DeploymentsReply.self)
        let known = reply.bundles.first { $0.name == bundle }?.known ?? []
        // "1.0" is the version 1.0 rather than the beginning of 1.0.1.
        let exact = known.filter { $0.hasPrefix("\(version)@") }
        let fitting = exact.isEmpty ? known.filter { $0.hasPrefix(version) } : exact
        guard fitting.count <= 1 else {
            throw CommandError(
                code: .usage,
                message: "\(version.escapedForTerminal) may be "
                    + fitting.joined(separator: ", ").escapedForTerminal + ": say more of it")
        }
        return fitting.first ?? version
    }

    /// Of the hash in VERSION@HASH.
    private static let hashLength = 16
}
