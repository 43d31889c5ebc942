import CLinux
import Glibc

/// Children that we did not start: descendants of workers whose parent has ended. The kernel gives them to the nearest
/// subreaper, which we are, so a process that escapes from its worker's session by forking twice is found here.
package enum Orphans {
    /// The variable by which a process tells whose it is, whatever session it is in: `HOLDFAST_INSTANCE=ID`.
    package static let instanceVariable = "HOLDFAST_INSTANCE"

    /// Where a worker sends its notifications: tells whose worker it is.
    package static let notifyVariable = "NOTIFY_SOCKET"

    /// Orphans of our descendants become our children from now on (PR_SET_CHILD_SUBREAPER).
    package static func becomeSubreaper() throws(SystemError) {
        try SystemCall.perform("prctl") { hf_become_subreaper() }
    }

    /// Takes the status of every ended child that is not known, and of no other: the status of a worker's main process
    /// belongs to its `ChildProcess`. Call on SIGCHLD.
    /// - Returns: the pids that are free now.
    @discardableResult
    package static func reap(known isKnown: (Int32) -> Bool) -> [Int32] {
        var reaped: [Int32] = []
        while let ended = endedChild() {
            if isKnown(ended) {
                // waitid(2) would show this one for ever, and hide those behind it.
                reaped += unknownChildren(isKnown).filter { hf_wait_child($0, 0) > 0 }
                break
            }
            if hf_wait_child(ended, 0) > 0 { reaped.append(ended) }
        }
        return reaped
    }

    /// Living children of ours that are not known and belong to an instance: they carry its identity in their
    /// environment, or are of the session of its main process (whose pid may be long gone; the kernel does not give the
    /// number out again while the session has a member).
    package static func escaped(
        instance: String, session: Int32? = nil, known isKnown: (Int32) -> Bool
    ) -> [Int32] {
        unknownChildren(isKnown).filter { pid in
            guard let status = ProcessStatus(of: pid), !status.isZombie else { return false }
            return status.session == session || self.instance(of: pid) == instance
        }
    }

    /// Kills a child of ours that `escaped` has listed. It keeps its number until we reap it, so kill(2) hits nobody else;
    /// and it works when there is no descriptor left for a pidfd.
    package static func kill(_ pid: Int32) {
        _ = Glibc.kill(pid, SIGKILL)
    }

    /// The living children that are not known, and the instance that each carries. `nil` for one that has cleared its
    /// environment, or is just executing a program.
    package static func all(known isKnown: (Int32) -> Bool) -> [(pid: Int32, instance: String?)] {
        unknownChildren(isKnown).compactMap { pid in
            guard let status = ProcessStatus(of: pid), !status.isZombie else { return nil }
            return (pid, instance(of: pid))
        }
    }

    /// Kills every child that is not known, and what it leaves to us. Waits for their ends, a moment each at most.
    package static func end(known isKnown: (Int32) -> Bool) {
        for _ in 0..<ProcessGroup.maximumPasses {
            let children = all(known: isKnown).map(\.pid)
            if children.isEmpty { return }
            for pid in children { kill(pid) }
            for pid in children {
                guard let process = try? ChildProcess.adopting(pid: pid) else { continue }
                _ = try? SystemCall.wait(for: process.exitDescriptor, .readable, timeout: .milliseconds(100))
            }
            reap(known: isKnown)
        }
    }

    /// What the process was started with as `HOLDFAST_INSTANCE`; needs the right to trace it (root has).
    package static func instance(of pid: Int32) -> String? { variables(of: pid)?[instanceVariable] }

    /// `nil` for a process that has no environment: one that is gone, or is just executing a program, or never had one.
    private static func variables(of pid: Int32) -> [String: String]? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try SystemCall.readFile("/proc/\(pid)/environ", limit: maximumEnvironmentBytes)
        } catch {
            // What we may not read is no child of a worker of ours.
            return error.isNotFound || error.isNoSuchProcess ? nil : [:]
        }
        if bytes.isEmpty { return nil }
        var variables: [String: String] = [:]
        for name in [instanceVariable, notifyVariable] {
            let prefix = Array("\(name)=".utf8)
            guard let variable = bytes.split(separator: 0).first(where: { $0.starts(with: prefix) }) else { continue }
            variables[name] = String(decoding: variable.dropFirst(prefix.count), as: UTF8.self)
        }
        return variables
    }

    /// All living processes of the machine that carry an instance: what is left of a worker whose supervisor has died,
    /// and whose orphans have become somebody else's children. Reads all of /proc.
    package static func carriers(of instance: String) -> [ProcessStatus] {
        carriers { $0[instanceVariable] == instance }
    }

    /// As `carriers(of:)`, by what a process was started with as HOLDFAST_INSTANCE and NOTIFY_SOCKET.
    package static func carriers(where isOurs: ([String: String]) -> Bool) -> [ProcessStatus] {
        var carriers: [ProcessStatus] = []
        list(where: isOurs) {
            carriers = $0
            return []
        }
        return carriers
    }

    /// Signals all carriers, those included that the ones before have forked in the meantime.
    /// - Returns: whom.
    @discardableResult
    package static func signalCarriers(
        _ number: Int32, where isOurs: ([String: String]) -> Bool
    ) -> [ProcessStatus] {
        var signalled: [ProcessStatus] = []
        list(where: isOurs) { carriers in
            let fresh = carriers.filter { carrier in
                !signalled.contains { $0.pid == carrier.pid && $0.startTime == carrier.startTime }
            }
            for carrier in fresh {
                let process = try? ChildProcess.adopting(pid: carrier.pid, startTime: carrier.startTime)
                try? process?.signal(number)
            }
            signalled += fresh
            return fresh.map(\.pid)
        }
        return signalled
    }

    /// Lists carriers until a listing is complete. While /proc is listed, one that was listed may fork another behind our
    /// back and end. A listing therefore counts only when nothing in it has ended or cannot be read that could be in the
    /// listing before, and when nothing was done about those that it found.
    /// - Parameter visit: told of each listing; returns those that are not what they were after it.
    private static func list(where isOurs: ([String: String]) -> Bool, _ visit: ([ProcessStatus]) -> [Int32]) {
        var former: Set<Int32> = []
        for _ in 0..<ProcessGroup.maximumPasses {
            let (carriers, doubtful) = listing(where: isOurs)
            let touched = visit(carriers)
            if touched.isEmpty, doubtful.isSubset(of: former) { return }
            former = doubtful.union(touched)
        }
    }

    private static func listing(
        where isOurs: ([String: String]) -> Bool
    ) -> (carriers: [ProcessStatus], doubtful: Set<Int32>) {
        let ownPid = SystemCall.processID()
        var carriers: [ProcessStatus] = []
        var doubtful: Set<Int32> = []
        for name in (try? SystemCall.names(inDirectory: "/proc")) ?? [] {
            guard let pid = Int32(name), pid > 1, pid != ownPid else { continue }
            guard let status = ProcessStatus(of: pid), !status.isZombie else {
                doubtful.insert(pid)
                continue
            }
            if status.isKernelThread { continue }
            guard let variables = variables(of: pid),
                // What was read is of the process that was listed.
                ProcessStatus(of: pid)?.startTime == status.startTime
            else {
                doubtful.insert(pid)
                continue
            }
            if isOurs(variables) { carriers.append(status) }
        }
        return (carriers, doubtful)
    }

    private static let maximumEnvironmentBytes = 256 * 1024

    private static func endedChild() -> Int32? {
        // ECHILD, no child at all, is as good as none that has ended.
        guard let pid = try? SystemCall.perform("waitid", nil, { hf_wait_child(0, 1) }), pid > 0 else { return nil }
        return pid
    }

    private static func unknownChildren(_ isKnown: (Int32) -> Bool) -> [Int32] {
        // The runtime has one thread, and asks this at every death.
        let children =
            hf_is_single_threaded() == 1 ? ProcessFamily.childrenOfThisThread() : ProcessFamily.children(of: getpid())
        return children.filter { !isKnown($0) }
    }
}
