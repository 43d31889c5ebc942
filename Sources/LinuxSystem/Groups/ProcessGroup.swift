import Glibc

/// All processes of a worker: its cgroup where there is one; otherwise its session, that is the process group of the
/// main process, and besides that the descendants that moved to other groups (a shell with job control, timeout(1)).
/// What escaped from both and lost its parent is found by `Orphans`.
///
/// The number of a process group cannot be handed on while the main process has not been reaped, nor while the group
/// has a member. Who kills the group first and reaps the main process afterwards can therefore hit nobody else; once
/// both are gone every operation here checks that the number is not somebody else's before using it.
package final class ProcessGroup {
    package let leader: Int32
    package let cgroup: Cgroup?
    private let instance: String?
    /// Clock ticks since boot; with the pid it names the main process.
    package let leaderStart: UInt64?
    /// Taken over from a supervisor that is gone: the leader may have been reaped by somebody else, and orphans of the
    /// worker are not our children.
    private let isAdopted: Bool

    /// How often the members are listed until no new one shows up.
    static let maximumPasses = 8

    /// The group that a main process leads which was just started and is not reaped.
    /// - Parameter instance: what its processes carry as `HOLDFAST_INSTANCE`; lets `contains` find those that escaped.
    package init(leader: ChildProcess, cgroup: Cgroup? = nil, instance: String? = nil) {
        self.leader = leader.pid
        self.cgroup = cgroup
        self.instance = instance
        leaderStart = leader.startTime
        isAdopted = false
    }

    /// The group of a main process that another supervisor started on this boot.
    package init(adopting leader: Int32, startTime: UInt64, cgroup: Cgroup?, instance: String) {
        self.leader = leader
        self.cgroup = cgroup
        self.instance = instance
        leaderStart = startTime
        isAdopted = true
    }

    /// Signals every process of the worker.
    package func signal(_ number: Int32) {
        if let cgroup { return cgroup.signal(number) }
        signalSession(number)
    }

    /// Kills every process of the worker, frozen or stopped ones too.
    package func kill() {
        if let cgroup, (try? cgroup.kill()) != nil { return }
        signalSession(SIGKILL)
    }

    /// Kills what is left of the worker while its main process, the leader, is a zombie: the number is then certainly
    /// ours, and the leader has no descendants any more (they have become our children), so that one call does.
    package func killBesidesZombie() {
        if let cgroup, (try? cgroup.kill()) != nil { return }
        _ = Glibc.kill(-leader, SIGKILL)
    }

    /// Holds every process of the worker still, without its consent: the freezer, or SIGSTOP.
    package func freeze() {
        if let cgroup, (try? cgroup.freeze()) != nil { return }
        signalSession(SIGSTOP)
    }

    /// Undoes `freeze`, and any SIGSTOP from elsewhere.
    package func thaw() {
        if let cgroup { try? cgroup.thaw() }
        signal(SIGCONT)
    }

    /// Whether no process of the worker is left: none of the cgroup that lives; or none of the group that is not reaped.
    /// In a session those that moved to other groups are not looked for: ask `Orphans.escaped` as well, which has them
    /// once the main process is gone.
    package var isEmpty: Bool {
        if let cgroup { return !cgroup.isPopulated }
        if isAdopted { return !isLeaderAlive && carriers.isEmpty }
        // Most groups are empty at once: that takes one call, and /proc is not asked.
        return Glibc.kill(-leader, 0) < 0 && errno == ESRCH || !isGroupOurs
    }

    /// Whether a process belongs to the worker: of its cgroup, its session, a descendant of the main process, or a
    /// child of ours that carries the instance. False for one that is gone.
    package func contains(_ pid: Int32) -> Bool {
        if pid <= 1 { return false }
        if let cgroup { return cgroup.contains(pid) }
        guard isGroupOurs else { return false }
        // Its number may have been handed on while nobody looked: only a leader that is there proves the session.
        if isAdopted && !isLeaderAlive { return false }
        if getsid(pid) == leader { return true }
        if ProcessFamily.hasAncestor(pid, where: { $0 == leader }) { return true }
        guard let instance else { return false }
        // Anyone can carry anything in his environment; a child of ours it is only by descent from a worker.
        let ownPid = getpid()
        return Orphans.instance(of: pid) == instance && ProcessFamily.hasAncestor(pid, where: { $0 == ownPid })
    }

    /// Calls the handler when no process is left, where the kernel tells it.
    /// - Returns: whether it does. If not (a session), look at `isEmpty` whenever a child of ours was reaped.
    package func watchEmptied(on loop: EventLoop, _ handler: @escaping () -> Void) throws(SystemError) -> Bool {
        guard let cgroup else { return false }
        try cgroup.watchEmptied(on: loop, handler)
        return true
    }

    /// Handles for what is left of an adopted worker without a cgroup once its main process is gone: nobody else tells
    /// of their end, since they are not our children.
    package func remainders() -> [ChildProcess] {
        guard cgroup == nil, isAdopted else { return [] }
        return carriers.compactMap { try? ChildProcess.adopting(pid: $0.pid, startTime: $0.startTime) }
    }

    /// Gives the cgroup back. Tolerated when it still has processes: it is then left behind, and `Cgroup.makeChild`
    /// removes it once they are gone.
    package func release() {
        try? cgroup?.remove()
    }

    // MARK: Sessions

    /// False when a process with the leader's number exists that is not the leader: the group is gone, then, for its
    /// number would not have been handed on.
    private var isGroupOurs: Bool {
        guard let leaderStart, let status = ProcessStatus(of: leader) else { return true }
        return status.startTime == leaderStart
    }

    private var isLeaderAlive: Bool {
        guard let status = ProcessStatus(of: leader) else { return false }
        return status.startTime == leaderStart && !status.isZombie
    }

    /// Processes that carry the instance, wherever they are.
    private var carriers: [ProcessStatus] { instance.map { Orphans.carriers(of: $0) } ?? [] }

    private func signalSession(_ number: Int32) {
        if isAdopted && !isLeaderAlive {
            // The group's number proves nothing any more.
            if let instance { Orphans.signalCarriers(number) { $0[Orphans.instanceVariable] == instance } }
            return
        }
        let leaderStatus = ProcessStatus(of: leader)
        if let leaderStart, let leaderStatus, leaderStatus.startTime != leaderStart { return }
        let isLeaderAlive = leaderStatus.map { !$0.isZombie } ?? false
        // Before the group is signalled, while the parents are still there to be asked for their children. A leader
        // that has ended has none: they are ours now.
        var others = isLeaderAlive ? membersBelow(leader) : []
        if Glibc.kill(-leader, number) < 0 && errno == ESRCH && isLeaderAlive && leaderStart != nil {
            // Between clone and setsid the child is in our own group, and alone.
            _ = Glibc.kill(leader, number)
        }
        var signalled: Set<Int32> = []
        for _ in 0..<ProcessGroup.maximumPasses {
            let fresh = others.filter { !signalled.contains($0.pid) }
            if fresh.isEmpty { return }
            for member in fresh where signalled.insert(member.pid).inserted { signal(member, number) }
            others = fresh.flatMap { membersBelow($0.pid) } + membersBelow(leader)
        }
    }

    /// Descendants outside the process group.
    private func membersBelow(_ pid: Int32) -> [ProcessStatus] {
        ProcessFamily.descendants(of: pid).compactMap { ProcessStatus(of: $0) }
            .filter { $0.group != leader && !$0.isZombie }
    }

    private func signal(_ member: ProcessStatus, _ number: Int32) {
        guard let process = try? ChildProcess.adopting(pid: member.pid),
            // The handle is fast to one process now; is it still the one that was listed?
            ProcessStatus(of: member.pid)?.startTime == member.startTime
        else { return }
        try? process.signal(number)
    }
}
