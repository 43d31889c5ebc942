import ControlProtocol
import MonotonicTime
import Testing

extension Daemon {
    /// Reads a worker's output as it comes, up to a line.
    /// - Returns: the lines before that.
    @discardableResult
    func output(of worker: String, upTo last: String, within limit: Duration = .seconds(20)) throws -> [String] {
        try self.await("holdfast-output", "ready", within: limit)
        let connection = try connect()
        try connection.send(
            MessageFramer.frame(RuntimeMethod.logs(worker: worker, lines: 1000, follow: true).call.json))
        var lines: [String] = []
        while true {
            do {
                let line = try LogsReply(json: try connection.receive(within: limit).parameters.json).line?.line
                if line == last { return lines }
                if let line { lines.append(line) }
            } catch is VarlinkConnection.TimedOut {
                Issue.record("\(worker) did not say \"\(last)\" but \(lines)\n\(diagnostics)")
                return lines
            }
        }
    }
}
