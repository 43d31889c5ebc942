package import MonotonicTime
package import Supervision

/// One event, what the tree answered, and how it looks afterwards.
package struct Observation: Sendable {
    package var now: MonotonicInstant
    package var event: Event
    package var actions: [Action]
    package var status: TreeStatus
    package var nextDeadline: MonotonicInstant?

    package init(
        now: MonotonicInstant, event: Event, actions: [Action], status: TreeStatus, nextDeadline: MonotonicInstant?
    ) {
        self.now = now
        self.event = event
        self.actions = actions
        self.status = status
        self.nextDeadline = nextDeadline
    }
}

/// Watches a tree from outside and keeps its own account of what must hold. It sees what a shell sees (events,
/// actions, status) and never the tree's inside, so that it cannot share the tree's errors.
///
/// Where the specification leaves a choice, the account keeps ranges (`Due`, lowest and highest counts) and only what
/// lies outside of them is a violation.
package final class Observer {
    var specification: SupervisorSpecification
    var workers: [WorkerID: WorkerModel] = [:]
    /// All workers there ever were, as they appeared: their order decides which violation is the first.
    var roster: [WorkerModel] = []
    /// Present workers in tree order.
    var order: [WorkerModel] = []
    var supervisors: [String: SupervisorModel] = [:]
    var supervisorOrder: [SupervisorModel] = []
    var knownInstances: Set<InstanceID> = []
    var isStarted = false
    var isShuttingDown = false
    var isComplete = false
    var violation: Violation?
    /// The observation at hand.
    var now = MonotonicInstant.zero
    var event = Event.started
    var step = 0
    var actions: [Action] = []
    var nextDeadline: MonotonicInstant?
    /// The first deadline that the tree must not sleep past, by this account.
    var formerDeadline: MonotonicInstant?
    /// How often in a row a deadline was reached and another one was due at once.
    var hastyDeadlines = 0
    /// When the tree was last woken up, before the event at hand.
    var lastDeadline = MonotonicInstant.zero
    var owedContinues: Set<InstanceID> = []
    var abandoned: Set<InstanceID> = []
    var owedThaws: Set<InstanceID> = []
    /// The configuration of a supervisor that has not begun yet.
    var successor: SupervisorSpecification?
    var lastSequencePlace = -1
    var lastSequenceSupervisor: SupervisorModel?

    /// - Parameter status: of the tree before its first event.
    package init(_ specification: SupervisorSpecification, status: TreeStatus) {
        self.specification = specification
        learn(specification, from: status)
        remember(status)
    }

    /// Checks everything that can be said after one event; returns the first violation.
    package func observe(_ observation: Observation) -> Violation? {
        step += 1
        now = observation.now
        event = observation.event
        actions = observation.actions
        formerDeadline = nextDeadline
        nextDeadline = observation.nextDeadline
        lastSequencePlace = -1
        let isStray = isWithoutMeaning(event)
        if isStray { checkNothingHappened(observation) }
        forgetFormerClocks()
        if !isStray { apply(event, status: observation.status) }
        noteSupervisors(observation.status)
        for (index, action) in actions.enumerated() { follow(action, at: index, status: observation.status) }
        checkDebts()
        checkReportChain(observation.status)
        checkStatus(observation.status)
        checkDeadlines(observation.status)
        remember(observation.status)
        return violation
    }

    /// Notes a violation unless there is one already: the first is the cause of the others.
    func fail(_ invariant: Invariant, _ explanation: @autoclosure () -> String) {
        if violation == nil { violation = Violation(invariant: invariant, explanation: explanation()) }
    }

    func require(_ condition: Bool, _ invariant: Invariant, _ explanation: @autoclosure () -> String) {
        if !condition { fail(invariant, explanation()) }
    }

    func live(_ worker: WorkerID, _ instance: InstanceID) -> (WorkerModel, InstanceModel)? {
        guard let model = workers[worker], let current = model.instance, current.id == instance else { return nil }
        return (model, current)
    }

    private func forgetFormerClocks() {
        for worker in roster {
            guard let instance = worker.instance else { continue }
            instance.formerWatchdog = nil
            instance.formerCheckpoints = [:]
            instance.formerStartTimeout = nil
            instance.formerAnnouncedStop = nil
        }
    }

    func remember(_ status: TreeStatus) {
        for shown in status.workers {
            workers[shown.id]?.shown = shown
            workers[shown.id]?.reportedState = shown.state
        }
        for shown in status.supervisors { supervisors[shown.name]?.shown = shown }
    }
}
