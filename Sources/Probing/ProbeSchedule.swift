/// When a probe is made, and what its failures mean.
package struct ProbeSchedule: Equatable, Sendable {
    /// From the end of one probe to the next.
    package var interval: Duration
    /// A probe that takes longer has failed.
    package var timeout: Duration
    /// In a row, before the worker counts as unhealthy.
    package var failures: Int
    /// For this long after a start and after a resume no failure counts, unless a probe has succeeded since.
    package var startGrace: Duration

    package init(interval: Duration, timeout: Duration, failures: Int, startGrace: Duration) {
        self.interval = interval
        self.timeout = timeout
        self.failures = failures
        self.startGrace = startGrace
    }
}
