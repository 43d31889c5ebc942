import LinuxSystem
import MonotonicTime
import Supervision

/// The processes of all workers: one entry per instance, from its spawn until its whole group is gone. Turns what the
/// kernel says into the tree's events, each of them once. Main thread only.
final class ProcessTable {
    private let loop: EventLoop
    private let deliver: (Event) -> Void
    /// Called when nothing of an instance is left.
    var onGone: (InstanceID) -> Void = { _ in }
    private var processes: [InstanceID: WorkerProcess] = [:]
    private var instancesByPid: [Int32: InstanceID] = [:]
    /// The pids of instances that went in this wake-up, for the reports about them.
    private var formerPids: [InstanceID: Int32] = [:]
    /// Those of them that the kernel killed for want of memory.
    private var formerOutOfMemory: [InstanceID: OutOfMemory] = [:]
    /// Main process ended, others of the group still there.
    private var lingering: Set<InstanceID> = []
    /// Instances whose processes the next supervisor does not know of yet.
    private var unrecorded: Set<InstanceID> = []
    /// Recorded, and still to be told that they may run: the kernel had no room for the word.
    private var heldBack: Set<InstanceID> = []
    private var retry: TimerID?
    /// Instances of which it is not known yet whether their program runs, oldest first.
    private var starting: [InstanceID] = []
    /// How many of them there may be before a spawn asks after the oldest.
    private static let patience = 16
    private static let retryPause: Duration = .milliseconds(10)
    /// Children of ours that are no worker's and have their own who waits for them.
    var bystanders: Set<Int32> = []
    /// What an instance's number follows in HOLDFAST_INSTANCE.
    private let runtime: String
    private let memory = SpawnMemory()

    init(loop: EventLoop, runtime: String, deliver: @escaping (Event) -> Void) {
        self.loop = loop
        self.runtime = runtime
        self.deliver = deliver
    }

    func pid(of instance: InstanceID) -> Int32? { processes[instance]?.main.pid }

    /// The pid that the instance has, or had until a moment ago.
    func formerPid(of instance: InstanceID) -> Int32? { pid(of: instance) ?? formerPids[instance] }

    /// Whether the kernel has killed the instance for want of memory, and of whose; it has it, or had it until a moment ago.
    func outOfMemory(of instance: InstanceID) -> OutOfMemory? {
        processes[instance]?.outOfMemory ?? formerOutOfMemory[instance]
    }

    /// The reports of this wake-up are written.
    func forgetFormerPids() {
        formerPids.removeAll(keepingCapacity: true)
        formerOutOfMemory.removeAll()
    }

    subscript(instance: InstanceID) -> WorkerProcess? { processes[instance] }

    /// What processes of an instance carry as HOLDFAST_INSTANCE.
    func mark(of instance: InstanceID) -> String { "\(runtime)-\(instance.rawValue)" }

    // MARK: Survival

    /// How many instances the next supervisor does not know of yet. Those that were just started are held back until it
    /// would.
    var unrecordedCount: Int { unrecorded.count }

    var unrecordedIdentities: [InstanceID: ProcessIdentity] { identities(of: unrecorded) }
    var identities: [InstanceID: ProcessIdentity] { identities(of: processes.keys) }

    private func identities(of instances: some Sequence<InstanceID>) -> [InstanceID: ProcessIdentity] {
        var identities: [InstanceID: ProcessIdentity] = [:]
        for instance in instances { identities[instance] = processes[instance]?.identity }
        return identities
    }

    /// The next supervisor knows of all: what was held back may run.
    func letGo() {
        let held = heldBack.union(unrecorded)
        guard !held.isEmpty else { return }
        unrecorded.removeAll(keepingCapacity: true)
        heldBack = held.filter { processes[$0]?.main.letGo() == false }
        guard !heldBack.isEmpty, retry == nil else { return }
        retry = loop.schedule(at: loop.now + Self.retryPause) { [weak self] in
            self?.retry = nil
            self?.letGo()
        }
    }

    /// Takes over a process of the supervisor before us. Its end is reported as that of any other.
    func adopt(_ process: WorkerProcess) throws(SystemError) {
        processes[process.instance] = process
        instancesByPid[process.main.pid] = process.instance
        try watch(process)
    }

    /// Takes over a process that the supervisor before us had no time to let go, and ends it: `spawnInterrupted` follows.
    func adoptCutShort(_ process: WorkerProcess) throws(SystemError) {
        process.isCutShort = true
        try adopt(process)
        process.group.kill()
    }

    /// The main process that was recorded for an instance is gone: its end is reported, and its group goes as well.
    func adoptEnded(_ process: WorkerProcess) {
        processes[process.instance] = process
        do throws(SystemError) {
            _ = try process.group.watchEmptied(on: loop) { [weak self] in
                if let process = self?.processes[process.instance], process.hasExited { self?.completeIfEmpty(process) }
            }
        } catch {
            // Looked at again with the next child that ends.
        }
        reportEnd(of: process, .unknown)
    }

    // MARK: Actions

    /// Starts a process. `spawned` or `spawnFailed` follows when its program is known to run, or not to.
    /// - Parameter cgroup: to be born in. Where the kernel refuses that, the worker has its session only.
    func spawn(
        _ worker: WorkerID, _ instance: InstanceID, _ request: SpawnRequest, cgroup: Cgroup? = nil
    ) throws(SystemError) {
        var request = request
        var cgroup = cgroup
        request.cgroup = cgroup?.rawValue
        let main: ChildProcess
        do throws(SystemError) {
            main = try ChildProcess.spawn(request, held: true, in: memory)
        } catch {
            try? cgroup?.remove()
            // What passes (EAGAIN, EMFILE, ENOMEM) is no reason to run outside for good.
            guard cgroup != nil, error.call == "clone3", !error.isTransient else { throw error }
            cgroup = nil
            request.cgroup = nil
            main = try ChildProcess.spawn(request, held: true, in: memory)
        }
        let process = WorkerProcess(
            worker: worker, instance: instance, main: main,
            group: ProcessGroup(leader: main, cgroup: cgroup, instance: mark(of: instance)))
        processes[instance] = process
        unrecorded.insert(instance)
        instancesByPid[main.pid] = instance
        do throws(SystemError) {
            try watch(process)
        } catch {
            // Unwatched it could die unnoticed. What is left is reaped as an orphan.
            process.group.kill()
            discard(process)
            throw error
        }
        // Each has a descriptor until then, and a thousand workers may be started in one wake-up: every child gets a copy
        // of all descriptors, and closes them.
        starting.append(instance)
        while starting.count > Self.patience, let oldest = processes[starting[0]], execKnown(oldest) {}
    }

    func signalGroup(_ instance: InstanceID, _ signal: Int32) {
        guard let process = processes[instance], !process.hasExited else { return }
        process.group.signal(signal)
    }

    func killGroup(_ instance: InstanceID) {
        guard let process = processes[instance] else { return }
        if process.isMainZombie { process.group.killBesidesZombie() } else { process.group.kill() }
        process.mayHaveEscaped = killEscaped(of: process)
    }

    func freezeGroup(_ instance: InstanceID) {
        guard let process = processes[instance], !process.hasExited else { return }
        process.group.freeze()
    }

    func thawGroup(_ instance: InstanceID) {
        guard let process = processes[instance], !process.hasExited else { return }
        process.group.thaw()
    }

    func abandonGroup(_ instance: InstanceID) {
        if let process = processes[instance] { discard(process) }
    }

    /// The worker has another main process: one of its own group, or nothing changes.
    /// - Returns: whether it was accepted.
    func declareMain(_ pid: Int32, of instance: InstanceID) -> Bool {
        guard let process = processes[instance], !process.hasExited, pid != process.main.pid,
            process.group.contains(pid), let main = try? ChildProcess.adopting(pid: pid),
            // Only now is it certain that the number had not been handed on in between.
            process.group.contains(pid)
        else { return false }
        let former = process.main
        if let registration = process.exitRegistration.take() { loop.unregister(registration) }
        let registration = try? loop.register(former.exitDescriptor, .readable) { [weak self, weak process] _ in
            guard let self, let process else { return }
            formerMainEnded(former, of: process)
        }
        if let registration { process.formerMains.append((process: former, registration: registration)) }
        process.main = main
        unrecorded.insert(instance)
        instancesByPid[pid] = instance
        watchExit(of: process)
        return true
    }

    /// Reports that the program runs, if that is known by now. What a worker says can overtake that news within one
    /// wake-up, and the tree must hear of the start first.
    func reportStart(of instance: InstanceID) {
        if let process = processes[instance] { execKnown(process) }
    }

    /// Ends children that are nobody's: orphans of workers, whatever they carry.
    func endStrangers() {
        Orphans.end { isKnown($0) }
    }

    private func isKnown(_ pid: Int32) -> Bool { instancesByPid[pid] != nil || bystanders.contains(pid) }

    /// SIGCHLD: reaps orphans, and looks again at the groups that are not empty yet.
    func childrenEnded() {
        _ = Orphans.reap { isKnown($0) }
        for instance in lingering.sorted() {
            if let process = processes[instance] { completeIfEmpty(process) }
        }
    }

    // MARK: Kernel events

    private func watch(_ process: WorkerProcess) throws(SystemError) {
        let instance = process.instance
        if let descriptor = process.main.execDescriptor {
            process.execRegistration = try loop.register(descriptor, .readable) { [weak self] _ in
                if let process = self?.processes[instance] { self?.execKnown(process) }
            }
        }
        process.exitRegistration = try loop.register(process.main.exitDescriptor, .readable) { [weak self] _ in
            if let process = self?.processes[instance] { self?.mainEnded(process) }
        }
        // A session has nobody who tells; it is looked at whenever an orphan is reaped.
        _ = try process.group.watchEmptied(on: loop) { [weak self] in
            if let process = self?.processes[instance], process.hasExited { self?.completeIfEmpty(process) }
        }
    }

    private func watchExit(of process: WorkerProcess) {
        let instance = process.instance
        process.exitRegistration = try? loop.register(process.main.exitDescriptor, .readable) { [weak self] _ in
            if let process = self?.processes[instance] { self?.mainEnded(process) }
        }
        // Without a watch on it the worker's end would go unnoticed: end it now, visibly.
        if process.exitRegistration == nil { process.group.kill() }
    }

    /// - Returns: whether that has become known just now.
    @discardableResult
    private func execKnown(_ process: WorkerProcess) -> Bool {
        guard let registration = process.execRegistration else { return false }
        let outcome = process.main.takeExecOutcome { loop.unregister(registration) }
        guard let outcome else { return false }
        process.execRegistration = nil
        starting.removeAll { $0 == process.instance }
        switch outcome {
        case .executed:
            deliver(.spawned(process.worker, process.instance))
        case .failed(let step, let errno):
            // The child is about to end; when it has, nothing of the instance is left.
            process.spawnFailure = SpawnFailure(step: step, errno: errno)
        }
        return true
    }

    private func mainEnded(_ process: WorkerProcess) {
        execKnown(process)
        guard !process.hasExited, let exit = process.main.exit(keepingZombie: true) else { return }
        if let registration = process.exitRegistration.take() { loop.unregister(registration) }
        if let failure = process.spawnFailure {
            _ = process.main.exit(keepingZombie: false)
            discard(process)
            return deliver(.spawnFailed(process.worker, process.instance, failure))
        }
        if process.isCutShort {
            discard(process)
            return deliver(.spawnInterrupted(process.worker, process.instance))
        }
        // The tree answers with a kill of the group. As long as the zombie is there, the group's number is not reused.
        process.isMainZombie =
            !process.isAdopted && process.formerMains.isEmpty && process.main.pid == process.group.leader
        reportEnd(of: process, ExitStatus(exit))
    }

    private func reportEnd(of process: WorkerProcess, _ status: ExitStatus) {
        if status == .signaled(.kill, coreDumped: false) { process.outOfMemory = process.group.cgroup?.outOfMemory }
        deliver(.exited(process.worker, process.instance, status))
        process.hasExited = true
        process.isMainZombie = false
        lingering.insert(process.instance)
        _ = process.main.exit(keepingZombie: false)
        completeIfEmpty(process)
    }

    private func formerMainEnded(_ former: ChildProcess, of process: WorkerProcess) {
        guard former.exit(keepingZombie: false) != nil,
            let index = process.formerMains.firstIndex(where: { $0.process === former })
        else { return }
        loop.unregister(process.formerMains[index].registration)
        process.formerMains.remove(at: index)
        instancesByPid[former.pid] = nil
        if process.hasExited { completeIfEmpty(process) }
    }

    private func completeIfEmpty(_ process: WorkerProcess) {
        guard process.group.isEmpty, process.formerMains.isEmpty else {
            // What is still dying may leave children of its own to us.
            process.mayHaveEscaped = true
            watchRemainders(of: process)
            return
        }
        if process.mayHaveEscaped {
            process.mayHaveEscaped = killEscaped(of: process)
            if process.mayHaveEscaped { return }
        }
        discard(process)
        deliver(.groupEmptied(process.worker, process.instance))
    }

    /// Nobody tells of the end of an adopted worker's orphans, for they are not our children.
    private func watchRemainders(of process: WorkerProcess) {
        let instance = process.instance
        for remainder in process.group.remainders() where process.remainders[remainder.pid] == nil {
            let pid = remainder.pid
            let registration = try? loop.register(remainder.exitDescriptor, .readable) { [weak self] _ in
                guard let self, let process = processes[instance] else { return }
                if let ended = process.remainders.removeValue(forKey: pid) { loop.unregister(ended.registration) }
                if process.hasExited { completeIfEmpty(process) }
            }
            if let registration { process.remainders[pid] = (process: remainder, registration: registration) }
        }
    }

    /// Kills what left the worker's session and became our child when its parent ended.
    /// - Returns: whether there was anything.
    private func killEscaped(of process: WorkerProcess) -> Bool {
        killEscaped(mark: mark(of: process.instance), session: process.group.leader)
    }

    /// Kills what carries a mark, or is of a session, and became our child when its parent ended.
    @discardableResult
    func killEscaped(mark: String, session: Int32? = nil) -> Bool {
        let escaped = Orphans.escaped(instance: mark, session: session) { isKnown($0) }
        for pid in escaped {
            Orphans.kill(pid)
        }
        return !escaped.isEmpty
    }

    private func discard(_ process: WorkerProcess) {
        for registration in [process.execRegistration.take(), process.exitRegistration.take()].compactMap({ $0 }) {
            loop.unregister(registration)
        }
        for former in process.formerMains {
            loop.unregister(former.registration)
            instancesByPid[former.process.pid] = nil
        }
        process.formerMains = []
        for remainder in process.remainders.values { loop.unregister(remainder.registration) }
        process.remainders = [:]
        unrecorded.remove(process.instance)
        starting.removeAll { $0 == process.instance }
        process.group.release()
        formerPids[process.instance] = process.main.pid
        formerOutOfMemory[process.instance] = process.outOfMemory
        instancesByPid[process.main.pid] = nil
        lingering.remove(process.instance)
        processes[process.instance] = nil
        onGone(process.instance)
    }
}

extension ExitStatus {
    init(_ exit: ProcessExit) {
        switch exit {
        case .exited(let code): self = .exited(code: code)
        case .signaled(let signal, let coreDumped):
            self = .signaled(Signal(rawValue: signal), coreDumped: coreDumped)
        case .unknown: self = .unknown
        }
    }
}
