/// One supervisor: type Supervisor of the interface.
package struct SupervisorReport: Equatable, Sendable {
    package var name: String
    /// `nil` for the root.
    package var parent: String?
    /// `one-for-one`, `one-for-all` or `rest-for-one`.
    package var strategy: String
    package var maxRestarts: Int
    /// The period of `maxRestarts`, in seconds.
    package var within: Double
    package var restartsInWindow: Int
    /// `up`, `stopping`, `parked` or `down`.
    package var state: String
    /// When a parked supervisor tries again, in seconds from now.
    package var nextAttempt: Double?
    /// Names of workers and supervisors in start order.
    package var children: [String]

    package init(
        name: String, parent: String? = nil, strategy: String, maxRestarts: Int, within: Double, restartsInWindow: Int,
        state: String, nextAttempt: Double? = nil, children: [String] = []
    ) {
        self.name = name
        self.parent = parent
        self.strategy = strategy
        self.maxRestarts = maxRestarts
        self.within = within
        self.restartsInWindow = restartsInWindow
        self.state = state
        self.nextAttempt = nextAttempt
        self.children = children
    }
}

extension SupervisorReport: JSONConvertible {
    private enum Key: String {
        case name
        case parent
        case strategy
        case maxRestarts = "max_restarts"
        case within = "within_s"
        case restartsInWindow = "restarts_in_window"
        case state
        case nextAttempt = "next_attempt_in_s"
        case children
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            name: try json.required(Key.name),
            parent: try json.optional(Key.parent),
            strategy: try json.required(Key.strategy),
            maxRestarts: try json.required(Key.maxRestarts),
            within: try json.required(Key.within),
            restartsInWindow: try json.required(Key.restartsInWindow),
            state: try json.required(Key.state),
            nextAttempt: try json.optional(Key.nextAttempt),
            children: try json.required(Key.children))
    }

    package var json: JSONValue {
        .object([
            Key.name: name,
            .parent: parent,
            .strategy: strategy,
            .maxRestarts: maxRestarts,
            .within: within,
            .restartsInWindow: restartsInWindow,
            .state: state,
            .nextAttempt: nextAttempt,
            .children: children,
        ])
    }
}
