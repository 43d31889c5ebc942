import Glibc

/// The units in which /proc counts (sysconf(3)).
package enum MachineConstants {
    /// Of CPU times and start times in /proc/PID/stat.
    package static let clockTicksPerSecond = max(1, sysconf(Int32(_SC_CLK_TCK)))
    /// In bytes; of memory in /proc/PID/stat.
    package static let pageSize = max(1, sysconf(Int32(_SC_PAGESIZE)))
    /// That run now.
    package static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
