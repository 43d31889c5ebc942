import CLinux
import Glibc
package import MonotonicTime

/// The kernel's `CLOCK_MONOTONIC` (clock_gettime(2)): the only clock that decides anything.
package enum MonotonicClock {
    package static func now() -> MonotonicInstant {
        var time = timespec()
        // Cannot fail for this clock and a valid pointer.
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }
}

/// Time since boot, in the clock ticks of /proc/PID/stat: what a process that is made now gets as its start time.
enum BootClock {
    /// `nil` within a microsecond of the next tick, or of the one before.
    static func ticks() -> UInt64? {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        let nanoseconds = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        let ticks = nanoseconds / nanosecondsPerTick
        let margin: UInt64 = 1000
        guard (nanoseconds - margin) / nanosecondsPerTick == ticks, (nanoseconds + margin) / nanosecondsPerTick == ticks
        else { return nil }
        return ticks
    }

    private static let nanosecondsPerTick = 1_000_000_000 / UInt64(sysconf(Int32(_SC_CLK_TCK)))
}

/// When this program was compiled: no clock that is right shows less.
package enum BuildTime {
    /// Since 1970.
    package static let seconds = hf_build_time()
}

/// Wall-clock time, for reports only: it may be 1970 or jump.
package enum WallClock {
    /// Seconds since 1970, the earliest that it can be: never before this was built. For what expires: with a clock at 1970 nothing
    /// ever would.
    package static func earliest() -> Int64 { max(microseconds() / 1_000_000, BuildTime.seconds) }

    /// Seconds since 1970.
    package static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Microseconds since 1970.
    package static func microseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
