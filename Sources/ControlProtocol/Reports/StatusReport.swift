/// The reply of method Status, and the output of `holdfast status --json`.
package struct StatusReport: Equatable, Sendable {
    package var runtime: RuntimeReport
    /// Parents before children, the root first.
    package var supervisors: [SupervisorReport]
    /// In tree order.
    package var workers: [WorkerReport]

    package init(
        runtime: RuntimeReport, supervisors: [SupervisorReport] = [], workers: [WorkerReport] = []
    ) {
        self.runtime = runtime
        self.supervisors = supervisors
        self.workers = workers
    }
}

extension StatusReport: JSONConvertible {
    private enum Key: String {
        case runtime
        case supervisors
        case workers
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            runtime: try json.required(Key.runtime),
            supervisors: try json.required(Key.supervisors),
            workers: try json.required(Key.workers))
    }

    package var json: JSONValue {
        .object([
            Key.runtime: runtime,
            .supervisors: supervisors,
            .workers: workers,
        ])
    }
}
