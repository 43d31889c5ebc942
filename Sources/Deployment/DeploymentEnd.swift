/// How a request came out.
package struct DeploymentEnd: Hashable, Sendable {
    package var id: String
    package var state: DeploymentRecord.State
    package var reason: DeploymentReason?

    package init(id: String, _ state: DeploymentRecord.State, _ reason: DeploymentReason?) {
        self.id = id
        self.state = state
        self.reason = reason
    }

    /// It did not fail by itself: whoever asks again means it.
    var mayBeTriedAgain: Bool { reason?.code == .interrupted }
}
