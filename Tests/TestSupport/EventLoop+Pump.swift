package import LinuxSystem
import MonotonicTime
package import Testing

extension EventLoop {
    /// Dispatches events until the condition holds; fails the test, and returns, when it does not within the bound.
    /// - Parameter what: what is awaited, for the failure's text.
    package func pump(
        _ what: Comment, within bound: Duration = .seconds(10), until condition: () throws -> Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let deadline = MonotonicClock.now().advanced(by: bound)
        while try !condition() {
            let left = MonotonicClock.now().duration(to: deadline)
            guard left > .zero else {
                Issue.record("never came: \(what)", sourceLocation: sourceLocation)
                return
            }
            // In slices, for conditions that no descriptor announces (a state in /proc).
            try runOnce(timeout: min(left, .milliseconds(20)))
        }
    }
}
