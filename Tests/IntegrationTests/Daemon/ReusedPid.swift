import Foundation
import LinuxSystem
import MonotonicTime
import Testing

/// Has the kernel give a number that was a worker's to a stranger (/proc/sys/kernel/ns_last_pid).
enum ReusedPid {
    /// - Returns: a process of that number, which leads a session as a worker does; `nil` where the kernel refuses.
    static func take(_ pid: Int32) throws -> ChildProcess? {
        let deadline = MonotonicClock.now() + .seconds(30)
        while MonotonicClock.now() < deadline {
            // Nobody gets it as long as the parent, process 1 here, has not taken its status; of that no event tells.
            guard ProcessStatus(of: pid) == nil else {
                usleep(2000)
                continue
            }
            guard (try? SystemCall.writeFile("/proc/sys/kernel/ns_last_pid", String(pid - 1))) != nil else {
                return nil
            }
            let stranger = try ChildProcess.spawn(SpawnRequest(executable: "/bin/sleep", arguments: ["sleep", "1000"]))
            if stranger.pid == pid { return stranger }
            // Another process of this machine was faster.
            try stranger.signal(SIGKILL)
            _ = try SystemCall.wait(for: stranger.exitDescriptor, .readable, timeout: .seconds(10))
            _ = stranger.exit(keepingZombie: false)
        }
        Issue.record("the number \(pid) was not to be had")
        return nil
    }
}
