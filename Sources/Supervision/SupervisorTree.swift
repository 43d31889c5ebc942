package import MonotonicTime

/// The supervisor tree: what must run, what to do when it does not. Pure: events go in, actions come out, time is an
/// argument. The shell performs the actions in order and reports what came of them as further events.
///
/// The tree is level-triggered: an event changes the state of one worker or supervisor, then `settle` lets each
/// supervisor from there to the root continue what it wants (a stop scope in reverse, a start sequence in order), so
/// that a reload, a pause or a shutdown in the middle of anything needs no case of its own.
package struct SupervisorTree: Sendable {
    var workers = Registry<WorkerID, WorkerNode> { WorkerID(rawValue: $0) }
    var supervisors = Registry<SupervisorID, SupervisorNode> { SupervisorID(rawValue: $0) }
    var root: SupervisorID
    var workersByName: [String: WorkerID] = [:]
    /// Removed by a reload and not yet down.
    var departing: Set<WorkerID> = []
    /// Restored with a process that was launched by another configuration, and how they are configured now; until `resumed`.
    var outdated: [WorkerID: WorkerSpecification] = [:]
    var removed = Removed()
    var lastInstance: UInt64 = 0
    var jitter: Jitter
    var shutdown: Shutdown = .none
    /// What `handle` is going to return.
    var actions: [Action] = []
    /// The time of the event at hand.
    var now: MonotonicInstant = .zero

    enum Shutdown: Sendable {
        case none
        case underWay
        case complete
    }

    /// - Parameters:
    ///   - root: the whole tree; its name is `SupervisorSpecification.rootName`.
    ///   - seed: of the back-off jitter; the same seed and events give the same actions.
    package init(_ root: SupervisorSpecification, seed: UInt64) {
        self.jitter = Jitter(seed: seed)
        self.root = supervisors.insert { SupervisorNode($0, root, parent: nil) }
        for child in root.children {
            let entry = insert(child, under: self.root)
            supervisors[self.root].entries.append(entry)
        }
    }

    /// Applies one event and returns what to do about it, in order.
    package mutating func handle(_ event: Event, at now: MonotonicInstant) -> [Action] {
        self.now = max(now, self.now)
        switch event {
        case .started: start()
        case .shutdownRequested: shutDown()
        case .spawned(let worker, let instance): spawned(worker, instance)
        case .spawnFailed(let worker, let instance, let failure): spawnFailed(worker, instance, failure)
        case .exited(let worker, let instance, let status): exited(worker, instance, status)
        case .groupEmptied(let worker, let instance): groupEmptied(worker, instance)
        case .notified(let worker, let instance, let notification): notified(worker, instance, notification)
        case .deadlineReached: reachDeadlines()
        case .operatorRequested(let worker, let request): requested(worker, request)
        case .pauseRequested(let worker, let reason): pause(worker, for: reason)
        case .resumeRequested(let worker, let reason): resume(worker, from: reason)
        case .reloaded(let root): reload(root)
        case .resumed: resumeSupervision()
        case .spawnInterrupted(let worker, let instance): spawnInterrupted(worker, instance)
        }
        completeShutdownIfDown()
        defer { actions = [] }
        return actions
    }

    /// The identity of the worker with this name.
    package func worker(named name: String) -> WorkerID? {
        workersByName[name].flatMap { departing.contains($0) ? nil : $0 }
    }

    /// The worker's current process, if there is one.
    package func instance(of worker: WorkerID) -> InstanceID? {
        workers.contains(worker) ? workers[worker].phase.instance?.id : nil
    }

    /// The worker's current process, if its program runs and nothing keeps it from working: it is not paused, nor on its way
    /// down.
    package func runningInstance(of worker: WorkerID) -> InstanceID? {
        guard workers.contains(worker) else { return nil }
        return switch workers[worker].phase {
        case .running(let live), .ready(let live): live.id
        case .stopped, .waiting, .held, .starting, .paused, .stopping, .backingOff, .failed, .finished: nil
        }
    }

    /// The instances whose processes may exist, those of workers that are about to leave the tree included.
    package var liveInstances: [(worker: WorkerID, instance: InstanceID)] {
        workers.ids.compactMap { worker in workers[worker].phase.instance.map { (worker, $0.id) } }
    }

    /// The specification that the worker runs under.
    package func specification(of worker: WorkerID) -> WorkerSpecification? {
        workers.contains(worker) ? workers[worker].specification : nil
    }

    /// Adds a child and, for a supervisor, everything below it, all down.
    mutating func insert(_ child: ChildSpecification, under parent: SupervisorID) -> SupervisorNode.Entry {
        switch child {
        case .worker(let specification):
            let worker = workers.insert {
                WorkerNode(
                    id: $0, specification: specification, parent: parent, isWanted: specification.startsAutomatically)
            }
            workersByName[specification.name] = worker
            return SupervisorNode.Entry(child: .worker(worker))
        case .supervisor(let specification):
            let supervisor = supervisors.insert { SupervisorNode($0, specification, parent: parent) }
            for child in specification.children {
                let entry = insert(child, under: supervisor)
                supervisors[supervisor].entries.append(entry)
            }
            return SupervisorNode.Entry(child: .supervisor(supervisor))
        }
    }

    private mutating func start() {
        guard shutdown == .none, supervisors[root].phase == .down else { return }
        for worker in workers.ids where workers[worker].isWanted { lineUp(worker) }
        bringUp(root)
        settle(root)
    }

    private mutating func shutDown() {
        guard shutdown == .none else { return }
        shutdown = .underWay
        orderStop(.supervisor(root))
    }

    private mutating func completeShutdownIfDown() {
        guard shutdown == .underWay, isDown(.supervisor(root)), departing.isEmpty else { return }
        shutdown = .complete
        actions.append(.completeShutdown)
    }
}
