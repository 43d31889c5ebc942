import LinuxSystem
import Supervision

/// Gives workers less of the processor, by whatever means there are, and as much as before again.
final class WorkerThrottle {
    /// How a worker is throttled.
    enum Means: String, Comparable {
        /// Half of a processor, in its cgroup.
        case quota = "cpu.max"
        /// It yields to others; alone on the machine it still gets all.
        case priority = "nice and SCHED_BATCH"
        /// Niceness could not be taken back without the privilege.
        case policy = "SCHED_BATCH"

        static func < (left: Means, right: Means) -> Bool { left.rawValue < right.rawValue }
    }

    /// What a worker has when nobody throttles it.
    struct Share: Equatable {
        var niceness: Int
        /// In percent of one processor; `nil` for no limit.
        var limit: Double?
    }

    private struct Treatment {
        var means: Means
        /// By thread, as it was before.
        var formerNiceness: [Int32: Int] = [:]
        /// Threads that have a policy of their own choice.
        var untouched: Set<Int32> = []
    }

    var isOn = false
    private let maySetPriorities = SystemCall.maySetPriorities
    /// What was done to each instance.
    private var treatments: [InstanceID: Treatment] = [:]

    /// In percent of one processor. Of a worker that is limited anyway, half of that if it is less.
    private static let quota = 50.0
    /// A tenth of what a normal process beside it gets, and yet enough to ping a watchdog. SCHED_IDLE would starve it, and then
    /// it would be judged hung.
    private static let addition = 10
    private static let highestNiceness = 19

    private static func niceness(above normal: Int) -> Int { min(highestNiceness, normal + addition) }

    private static func quota(below limit: Double?) -> Double { min(quota, (limit ?? .infinity) / 2) }

    /// What is used for those that are throttled now, for people; `nil` for none.
    var words: String? {
        let means = Set(treatments.values.map(\.means))
        return isOn && !means.isEmpty ? means.sorted().map(\.rawValue).joined(separator: ", ") : nil
    }

    /// The niceness that a process is started with.
    func startNiceness(_ share: Share, isExempt: Bool) -> Int {
        isOn && !isExempt && maySetPriorities ? Self.niceness(above: share.niceness) : share.niceness
    }

    /// Brings a process to what holds that was started with `startNiceness`, and runs nothing of its own yet.
    func begin(_ process: WorkerProcess, _ share: Share, isExempt: Bool) {
        guard isOn, !isExempt else { return }
        if let cgroup = process.group.cgroup, (try? cgroup.setProcessorLimit(Self.quota(below: share.limit))) != nil {
            treatments[process.instance] = Treatment(means: .quota)
            return
        }
        try? SystemCall.setSchedulingPolicy(of: process.main.pid, to: .batch)
        treatments[process.instance] = Treatment(means: maySetPriorities ? .priority : .policy)
    }

    /// Brings a running worker to what holds now. Done again it changes nothing, but reaches what was forked meanwhile.
    func apply(to process: WorkerProcess, _ share: Share, isExempt: Bool) {
        if isOn, !isExempt { lower(process, share) } else { lift(process, share) }
    }

    /// Takes back what a holdfastd before this one has done to a worker that was adopted, as far as it shows.
    func takeOver(_ process: WorkerProcess, _ share: Share) {
        if let cgroup = process.group.cgroup, let limit = try? cgroup.processorLimit(),
            limit == Self.quota(below: share.limit)
        {
            try? cgroup.setProcessorLimit(share.limit)
        }
        let niceness = maySetPriorities ? Self.niceness(above: share.niceness) : nil
        for thread in Self.threads(of: process) where (try? SystemCall.schedulingPolicy(of: thread)) == .batch {
            guard niceness == nil || (try? SystemCall.niceness(of: thread)) == niceness else { continue }
            lift(thread, to: niceness == nil ? nil : share.niceness)
        }
    }

    func forget(_ instance: InstanceID) {
        treatments[instance] = nil
    }

    // MARK: Doing

    private func lower(_ process: WorkerProcess, _ share: Share) {
        let former = treatments[process.instance]
        if former?.means == .quota || former == nil, let cgroup = process.group.cgroup,
            (try? cgroup.setProcessorLimit(Self.quota(below: share.limit))) != nil
        {
            treatments[process.instance] = Treatment(means: .quota)
            return
        }
        var treatment = former ?? Treatment(means: maySetPriorities ? .priority : .policy)
        for thread in Self.threads(of: process) {
            guard let policy = try? SystemCall.schedulingPolicy(of: thread), policy == .other,
                let niceness = try? SystemCall.niceness(of: thread)
            else {
                // Later on, what is forked of a throttled thread is throttled from its birth.
                if former == nil { treatment.untouched.insert(thread) }
                continue
            }
            treatment.formerNiceness[thread] = niceness
            try? SystemCall.setSchedulingPolicy(of: thread, to: .batch)
            if treatment.means == .priority {
                try? SystemCall.setNiceness(of: thread, to: Self.niceness(above: niceness))
            }
        }
        treatments[process.instance] = treatment
    }

    private func lift(_ process: WorkerProcess, _ share: Share) {
        guard let treatment = treatments.removeValue(forKey: process.instance) else { return }
        if treatment.means == .quota {
            try? process.group.cgroup?.setProcessorLimit(share.limit)
            return
        }
        for thread in Self.threads(of: process) where !treatment.untouched.contains(thread) {
            guard (try? SystemCall.schedulingPolicy(of: thread)) == .batch else { continue }
            let former = treatment.formerNiceness[thread] ?? share.niceness
            lift(thread, to: treatment.means == .priority ? former : nil)
        }
    }

    private func lift(_ thread: Int32, to niceness: Int?) {
        try? SystemCall.setSchedulingPolicy(of: thread, to: .other)
        if let niceness { try? SystemCall.setNiceness(of: thread, to: niceness) }
    }

    private static func threads(of process: WorkerProcess) -> [Int32] {
        process.group.members().flatMap { SystemCall.threads(of: $0) }
    }
}
