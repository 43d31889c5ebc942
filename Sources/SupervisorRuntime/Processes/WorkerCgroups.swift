import Configuration
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

    /// A cgroup for a new instance; `nil` where there are none.
    func make(for worker: String, _ instance: InstanceID) -> Cgroup? {
        guard let home else { return nil }
        do throws(SystemError) {
            return try home.makeChild("\(worker).\(instance.rawValue)")
        } catch {
            warning = "no cgroup for \(worker) (\(error.message)): it runs in a session only"
            return nil
        }
    }
}
