import ControlProtocol
import DeviceConfiguration
import LinuxSystem
import Supervision

/// What the next supervisor is left, and taking over from the one before.
extension SupervisorRuntime {
    /// Records what has changed, and then lets go what was started. Before a reply that acknowledges something, and last
    /// in a wake-up: whatever happens to this process afterwards, the next one knows.
    func commit() {
        if driver.tree.hasChanges || processes.unrecordedCount > 0 {
            keeper.record(
                driver.takeChanges(), processes.unrecordedIdentities, lastEvent: chronicle.events.next - 1)
            for instance in processes.unrecordedIdentities.keys {
                storeProcess(of: instance)
            }
        }
        processes.letGo()
    }

    private func storeProcess(of instance: InstanceID) {
        store(.process(of: instance)) { [weak self] in self?.processes[instance]?.main.exitDescriptor }
    }

    /// Has the service manager keep a descriptor, and nothing else by that name.
    func store(_ descriptor: StoredDescriptor, _ number: @escaping () -> Int32?) {
        if inherited.forgetRefused(descriptor.name) { serviceManager.store.remove(descriptor) }
        serviceManager.store.store(descriptor, number)
    }

    var survivalRecord: SurvivalRecord {
        SurvivalRecord(
            runtime: keeper.runtime, tree: driver.tree.record, processes: processes.identities,
            lastEvent: chronicle.events.next - 1)
    }

    /// Takes over the workers of the supervisor before us, and brings the tree to what the configuration says now.
    func adopt(_ record: SurvivalRecord) throws(SystemError) {
        var findings: [(worker: WorkerID, instance: InstanceID, finding: Finding)] = []
        for (worker, instance) in driver.tree.liveInstances {
            let recorded = record.tree.workers[name(of: worker)]?.phase
            var wasStarting = false
            if case .starting = recorded { wasStarting = true }
            let finding = try find(instance, of: worker, record.processes[instance], wasStarting: wasStarting)
            findings.append((worker, instance, finding))
        }
        try takeResources()
        // Before anything is started: what nobody knows of must not be there twice.
        removeLeftovers(keeping: findings)
        forgetStrangers()
        for (_, instance, finding) in findings {
            switch finding {
            case .alive(let process):
                try processes.adopt(process)
                storeProcess(of: instance)
            case .cutShort(let process):
                try processes.adoptCutShort(process)
            case .ended, .neverRan: break
            }
        }
        driver.deliver(.resumed)
        replaceSystemProcesses()
        for (worker, instance, finding) in findings {
            switch finding {
            case .alive: driver.deliver(.spawned(worker, instance))
            case .cutShort: break  // its end is told when it has come
            case .ended(let process): processes.adoptEnded(process)
            case .neverRan:
                serviceManager.store.remove(.process(of: instance))
                driver.deliver(.spawnInterrupted(worker, instance))
            }
        }
        applyLimits()
        takeOverThrottled()
        let workers = findings.filter { !SystemSupervisor.includes(name(of: $0.worker)) }
        let alive = workers.count {
            // Its parent may not have taken its status yet.
            if case .alive(let process) = $0.finding { process.main.exit(keepingZombie: true) == nil } else { false }
        }
        let message = "took over \(alive) running workers, \(workers.count - alive) others have ended meanwhile"
        chronicle.record(.runtimeAdopted, message, details: ["alive": .int(Int64(alive))])
        log.write(.notice, message)
    }

    private enum Finding {
        case alive(WorkerProcess)
        case ended(WorkerProcess)
        /// It is there, and has not executed its program: it was not let go.
        case cutShort(WorkerProcess)
        /// It was not let go, and is gone.
        case neverRan
    }

    /// Only what is proven to be the very process that was recorded is taken for it.
    private func find(
        _ instance: InstanceID, of worker: WorkerID, _ identity: ProcessIdentity?, wasStarting: Bool
    ) throws(SystemError) -> Finding {
        guard let identity else { return .neverRan }
        let stored = inherited.take(StoredDescriptor.process(of: instance).name) {
            ChildProcess.adopting(pid: identity.main, startTime: identity.mainStart, pidfd: $0)
        }
        let main =
            if let stored { stored } else {
                try ChildProcess.adopting(pid: identity.main, startTime: identity.mainStart)
            }
        // What is gone was most likely waiting to be let go. Should its program have run for the moment that nobody had
        // noted down yet, then a failure is forgiven, and what it has left behind is ended as a leftover.
        let hasExecuted = main?.hasExecuted
        if wasStarting, hasExecuted == nil { return .neverRan }
        let group = ProcessGroup(
            adopting: identity.leader, startTime: identity.leaderStart,
            cgroup: identity.cgroup.flatMap { try? Cgroup(path: $0) }, instance: processes.mark(of: instance))
        let process = WorkerProcess(
            worker: worker, instance: instance, main: main ?? ChildProcess(goneWithPid: identity.main), group: group,
            isAdopted: true)
        if wasStarting, hasExecuted == false { return .cutShort(process) }
        // A process that has ended and that nobody has waited for yet is reported like any other.
        return main == nil ? .ended(process) : .alive(process)
    }

    /// What belongs to workers that run, and what was stored of others: a worker that waits for its next start has left
    /// its last words in its FIFO.
    private func takeResources() throws(SystemError) {
        let live = driver.tree.liveInstances.map(\.worker)
        let others = roster.keys.sorted().filter { worker in
            let name = name(of: worker)
            let stored = [StoredDescriptor.notifySocket(of: name), .output(of: name), .telemetrySocket(of: name)]
            return !live.contains(worker) && stored.contains { inherited.contains($0.name) }
        }
        for worker in live + others {
            let name = name(of: worker)
            if roster[worker] == nil { roster[worker] = RosterEntry(name: name, supervisor: "") }
            _ = try resource(of: worker, name)
        }
    }

    /// Ends what was started for this runtime directory and is not in the record: the record may be older than they are,
    /// damaged, or lost.
    private func removeLeftovers(keeping findings: [(worker: WorkerID, instance: InstanceID, finding: Finding)]) {
        var marks: Set<String> = []
        var directories: Set<String> = []
        for (_, instance, finding) in findings {
            switch finding {
            case .alive(let process), .ended(let process), .cutShort(let process):
                marks.insert(processes.mark(of: instance))
                if let cgroup = process.group.cgroup { directories.insert(cgroup.path) }
            case .neverRan: break
            }
        }
        cgroups.removeLeftovers(keeping: directories)
        endCarriers(except: marks, "which an earlier holdfastd has started and left no record of")
    }

    /// After everything was stopped: what has escaped from its worker and from every look at it, for it hid behind another
    /// program's environment, or was between two.
    func removeEscaped() {
        processes.endStrangers()
        endCarriers(except: [], "which was left of a worker")
    }

    /// Ends the processes of instances that were started for this runtime directory.
    private func endCarriers(except marks: Set<String>, _ origin: String) {
        let leftovers = Orphans.signalCarriers(SignalNumber.kill) { [directory] variables in
            guard let mark = variables[Orphans.instanceVariable], let socket = variables[Orphans.notifyVariable] else {
                return false
            }
            return socket.hasPrefix(directory.notifySockets) && !marks.contains(mark)
        }
        for leftover in leftovers {
            chronicle.record(.warning, "ended process \(leftover.pid), \(origin)")
        }
    }

    /// Ends what is left of an earlier supervisor whose record is lost.
    func removeLeftovers() throws(SystemError) {
        removeLeftovers(keeping: [])
        try takeResources()
        forgetStrangers()
    }

    /// What was stored for workers and instances that are gone. Before anything is started, which is stored by the same
    /// names.
    private func forgetStrangers() {
        for name in inherited.names { inherited.refuse(name) }
        for name in inherited.refused.sorted() where inherited.forgetRefused(name) {
            serviceManager.store.remove(StoredDescriptor(name: name))
        }
    }
}
