import LinuxSystem
import Supervision

/// One instance of a worker as the kernel knows it: its main process and its group.
final class WorkerProcess {
    let worker: WorkerID
    let instance: InstanceID
    let group: ProcessGroup
    /// Replaced when the worker declares another one with MAINPID=.
    var main: ChildProcess
    var execRegistration: EventLoop.Registration?
    var exitRegistration: EventLoop.Registration?
    /// The program could not be executed: nothing of the worker's ever ran.
    var spawnFailure: SpawnFailure?
    /// The supervisor before us died before the program ran: it ends without having done anything.
    var isCutShort = false
    /// The main process has ended and was reported.
    var hasExited = false
    /// The kernel has killed it, or some of it, for want of memory.
    var outOfMemory: OutOfMemory?
    /// The main process leads the group, has ended, and is not reaped yet.
    var isMainZombie = false
    /// A supervisor before us has started it.
    let isAdopted: Bool
    /// What is left of an adopted one, by pid, as far as its end is waited for.
    var remainders: [Int32: (process: ChildProcess, registration: EventLoop.Registration)] = [:]
    /// There may be children of ours that this instance left behind: look again before calling its group empty.
    var mayHaveEscaped = true
    /// The processes that the worker declared as main before, until they end.
    var formerMains: [(process: ChildProcess, registration: EventLoop.Registration)] = []

    init(
        worker: WorkerID, instance: InstanceID, main: ChildProcess, group: ProcessGroup, isAdopted: Bool = false
    ) {
        self.isAdopted = isAdopted
        self.worker = worker
        self.instance = instance
        self.main = main
        self.group = group
    }

    /// What the next supervisor finds it by; `nil` when the kernel does not tell, and then it could not.
    var identity: ProcessIdentity? {
        guard let leaderStart = group.leaderStart else { return nil }
        guard let mainStart = main.pid == group.leader ? leaderStart : main.startTime else { return nil }
        return ProcessIdentity(
            leader: group.leader, leaderStart: leaderStart, main: main.pid, mainStart: mainStart,
            cgroup: group.cgroup?.path)
    }
}
