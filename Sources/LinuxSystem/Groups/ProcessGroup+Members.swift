import Glibc

extension ProcessGroup {
    /// The processes that belong to the worker at this moment; more may be forked meanwhile. In a session those are left out
    /// that have left it and lost their parent.
    package func members() -> [Int32] {
        if let cgroup { return cgroup.processes() }
        guard let status = ProcessStatus(of: leader), leaderStart == nil || status.startTime == leaderStart,
            !status.isZombie
        else { return [] }
        let orphans = ProcessFamily.childrenOfThisThread().filter { $0 != leader && getsid($0) == leader }
        return ([leader] + orphans).flatMap { [$0] + ProcessFamily.descendants(of: $0) }
    }
}
