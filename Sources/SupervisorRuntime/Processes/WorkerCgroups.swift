import Configuration
import LinuxSystem
import Supervision

/// Where the workers' cgroups are made: a delegated cgroup2 directory, if there is one.
final class WorkerCgroups {
    private let home: Cgroup?
    /// Why workers run without cgroups although they were asked for; `nil` when all is as configured.
    private(set) var warning: String?

    init(_ setting: WorkersCgroup) {
        switch setting {
        case .off:
            home = nil
        case .automatic:
            home = Cgroup.delegated()
        case .directory(let path):
            do throws(SystemError) {
                home = try Cgroup(path: path)
            } catch {
                home = nil
                warning = "workers_cgroup \(path) cannot be used (\(error.message)): workers run in sessions only"
            }
        }
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
