import LinuxSystem
import MonotonicTime

/// Which boot this is, and how a record says when it came.
struct BootClock {
    /// As the kernel writes it.
    let bootID: String
    /// The first 12 hexadecimal digits.
    let shortID: String

    /// - Parameter bootID: of the kernel, unless a test has another.
    init(bootID: String) {
        self.bootID = bootID
        shortID = String(bootID.filter { $0 != "-" }.prefix(12))
    }

    static func current() -> BootClock {
        let bytes = (try? SystemCall.readFile("/proc/sys/kernel/random/boot_id", limit: 64)) ?? []
        return BootClock(bootID: String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self))
    }

    /// Milliseconds since 1970 by the device's clock.
    static var wallMilliseconds: Int64 { WallClock.microseconds() / 1000 }

    /// Milliseconds since boot.
    static func sinceBoot(_ now: MonotonicInstant) -> Int64 { now.nanoseconds / 1_000_000 }
}
