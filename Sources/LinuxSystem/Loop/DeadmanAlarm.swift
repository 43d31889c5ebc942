import Glibc

/// Ends the process when a piece of its work never comes to an end (alarm(2), SIGALRM): a watchdog that nobody has to
/// ping, so an idle process sleeps on. Work may be nested; only the outermost counts.
///
/// For processes with a supervisor, which starts them anew. The signal must not be caught, ignored or blocked.
package final class DeadmanAlarm {
    private let limit: UInt32?
    private var depth = 0

    /// - Parameter seconds: how long a piece of work may take; `nil` for ever.
    package init(seconds: UInt32?) {
        limit = seconds
    }

    /// Does a piece of work under the alarm.
    package func during<Failure: Error>(_ work: () throws(Failure) -> Void) throws(Failure) {
        guard let limit else { return try work() }
        if depth == 0 { alarm(limit) }
        depth += 1
        defer {
            depth -= 1
            if depth == 0 { alarm(0) }
        }
        try work()
    }
}
