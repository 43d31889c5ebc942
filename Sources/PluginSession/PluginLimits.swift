/// What one command may take of those who listen to its plugin.
package struct PluginLimits: Sendable, Hashable {
    /// In bytes; longer ones fail the command.
    package var longestResult: Int
    /// Lines beyond it are dropped, and counted in one line.
    package var logLinesPerSecond: Int
    /// Requests that wait for their answers; further ones are refused.
    package var concurrentRequests: Int
    /// How long a plugin that was told to stop may take.
    package var stopGrace: Duration
    /// How long the process may outlive its socket.
    package var exitGrace: Duration

    package init(
        longestResult: Int = 128 * 1024, logLinesPerSecond: Int = 500, concurrentRequests: Int = 16,
        stopGrace: Duration = .seconds(5), exitGrace: Duration = .seconds(1)
    ) {
        self.longestResult = longestResult
        self.logLinesPerSecond = logLinesPerSecond
        self.concurrentRequests = concurrentRequests
        self.stopGrace = stopGrace
        self.exitGrace = exitGrace
    }

    /// Of a command's payload, in bytes.
    package static let longestPayload = 64 * 1024
    /// Of a line of the log, in bytes; the rest is cut off.
    package static let longestLine = 4096
    /// Of the words beside a progress, and of a failure's.
    package static let longestWords = 1024
}
