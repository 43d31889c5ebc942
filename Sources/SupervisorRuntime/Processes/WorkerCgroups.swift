import DeviceConfiguration
import LinuxSystem
import Supervision

/// Where the workers' cgroups are made: a delegated cgroup2 directory, if there is one.
final class WorkerCgroups {
    /// Names that directory where it is not the runtime's own: absolute, or the name of a cgroup beside the runtime's own.
    /// The systemd unit sets it to the unit that holds the workers, so that they outlive the runtime's unit.
    private static let variable = "HOLDFAST_WORKERS_CGROUP"
    /// The child cgroup for processes that were in the directory itself. As long as one is there, the kernel enables no
    /// controller for its children ("no internal processes", cgroups(7)).
    private static let keeper = "keeper"

    private var home: Cgroup?
    /// What keeps each controller from the workers' cgroups, by its name; those that are there are missing.
    private var missing: [String: String] = [:]
    private var leftovers: [Cgroup] = []
    /// Why workers run without cgroups although they were asked for; `nil` when all is as configured.
    private(set) var warning: String?

    init(_ setting: WorkersCgroup) {
        switch setting {
        case .off:
            home = nil
        case .automatic:
            if let named = ProcessEnvironment.value(Self.variable), !named.isEmpty {
                home = nil
                use(named, as: Self.variable)
            } else {
                home = Cgroup.delegated()
            }
        case .directory(let path):
            home = nil
            use(path, as: "workers_cgroup")
        }
        enableControllers()
    }

    /// Limits need them, and so does `holdfast-monitor` to throttle.
    private func enableControllers() {
        for controller in ["cpu", "memory", "pids"] { missing[controller] = obstacle(to: controller) }
    }

    /// Enables a controller, or says what is in its way.
    private func obstacle(to controller: String) -> String? {
        if let machine = Cgroup.machineControllers, !machine.contains(controller) {
            return "this machine's cgroup2 has no \(controller) controller"
        }
        guard let home else { return "workers have no cgroups here" }
        if home.enabledControllers.contains(controller) { return nil }
        guard home.availableControllers.contains(controller) else {
            return "the \(controller) controller is not delegated to \(home.path)"
        }
        do throws(SystemError) {
            try home.enable(controller: controller)
            return nil
        } catch {
            return "the \(controller) controller cannot be enabled in \(home.path) (\(error.message))"
        }
    }

    /// The limits that are not enforced, for people: a line for each limit and what is in its way.
    func unenforced(_ launches: [String: WorkerLaunch]) -> [String] {
        var workers: [String: [String]] = [:]
        for (name, launch) in launches {
            for limit in launch.groupLimits.needed {
                guard let obstacle = missing[limit.controller] else { continue }
                workers["\(limit.key) is not enforced: \(obstacle)", default: []].append(name)
            }
        }
        return workers.sorted { $0.key < $1.key }.map { problem, names in
            let shown = names.sorted().prefix(Self.mostNames).joined(separator: ", ")
            let more = names.count > Self.mostNames ? " and \(names.count - Self.mostNames) more" : ""
            return "worker\(names.count == 1 ? "" : "s") \(shown)\(more): \(problem)"
        }
    }

    private static let mostNames = 8

    /// Has a cgroup keep the limits, as far as there are controllers for them.
    func apply(_ limits: GroupLimits, to cgroup: Cgroup) {
        do throws(SystemError) {
            if missing["memory"] == nil { try cgroup.setMemoryLimit(limits.memory) }
            if missing["cpu"] == nil { try cgroup.setProcessorLimit(limits.processorPercent.map { Double($0) }) }
            if missing["pids"] == nil { try cgroup.setTaskLimit(limits.processes) }
        } catch {
            warning = "the limits of \(cgroup.path) cannot be set: \(error.message)"
        }
    }

    private func use(_ directory: String, as setting: String) {
        do throws(SystemError) {
            let home = try directory.hasPrefix("/") ? Cgroup(path: directory) : Cgroup(besideOwn: directory)
            try home.moveProcesses(toChild: Self.keeper)
            self.home = home
        } catch {
            warning = "\(setting) \(directory) cannot be used (\(error.message)): workers run in sessions only"
        }
    }

    /// Ends what is in any other of our cgroups than these: an earlier supervisor has left it, and no record of it.
    func removeLeftovers(keeping directories: Set<String>) {
        guard let home else { return }
        for child in home.children where !directories.contains(child) && !child.hasSuffix("/\(Self.keeper)") {
            guard let cgroup = try? Cgroup(path: child) else { continue }
            // Removed at once when it was empty; otherwise when its last process has gone.
            if (try? cgroup.remove()) != nil { continue }
            try? cgroup.kill()
            leftovers.append(cgroup)
        }
    }

    /// Removes the cgroups of leftovers that are gone by now.
    func sweep() {
        leftovers.removeAll { (try? $0.remove()) != nil }
    }

    /// Removes a cgroup whose process has ended, now or when the last of what it has started has gone.
    func discard(_ cgroup: Cgroup) {
        if (try? cgroup.remove()) != nil { return }
        try? cgroup.kill()
        leftovers.append(cgroup)
    }

    /// Whether a limit on memory is kept by cgroups.
    var limitsMemory: Bool { home != nil && missing["memory"] == nil }

    /// A cgroup for a new instance; `nil` where there are none.
    func make(for worker: String, _ instance: InstanceID, _ limits: GroupLimits = GroupLimits()) -> Cgroup? {
        make(for: worker, number: "\(instance.rawValue)", limits)
    }

    /// - Parameter number: tells it from others of the same name.
    func make(for worker: String, number: String, _ limits: GroupLimits = GroupLimits()) -> Cgroup? {
        guard let home else { return nil }
        do throws(SystemError) {
            let cgroup = try home.makeChild("\(worker).\(number)")
            // Before anything is in it.
            if limits != GroupLimits() { apply(limits, to: cgroup) }
            return cgroup
        } catch {
            warning = "no cgroup for \(worker) (\(error.message)): it runs in a session only"
            return nil
        }
    }
}
