import Glibc
import LinuxSystem
import MonotonicTime
import Spool

// Measures the spool, one thread, for Benchmarks/driver; prints one JSON object.
//
//     spool-benchmark append FOLDER RECORDS      records of 100 bytes, not synced: nanoseconds for each
//     spool-benchmark written FOLDER RECORDS     commits of 1,000 records: bytes of payload, and bytes that the process wrote
//     spool-benchmark recover FOLDER BYTES       fills a spool, and opens it again: nanoseconds

/// In bytes.
let recordSize = 100

func elapsed(_ body: () throws -> Void) rethrows -> Int64 {
    let began = MonotonicClock.now()
    try body()
    return began.duration(to: MonotonicClock.now()).wholeNanoseconds
}

func open(_ folder: String, quota: Int) throws -> Spool {
    var random = SystemRandomNumberGenerator()
    return try Spool(SpoolFolder(folder), SpoolSettings(quota: quota, whenFull: .refuse), at: 0, using: &random)
}

/// What the kernel says this process has written to files (proc_pid_io(5), wchar).
func bytesWritten() -> Int {
    let text = String(decoding: (try? SystemCall.readFile("/proc/self/io", limit: 4096)) ?? [], as: UTF8.self)
    let line = text.split(separator: "\n").first { $0.hasPrefix("wchar: ") }
    return line.flatMap { Int($0.dropFirst(7)) } ?? 0
}

func run() throws -> String {
    let arguments = CommandLine.arguments
    guard arguments.count == 4, let count = Int(arguments[3]) else { return "{}" }
    let (what, folder) = (arguments[1], arguments[2])
    let record = (0..<recordSize).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let largestQuota = 1 << 40
    switch what {
    case "append":
        let spool = try open(folder, quota: largestQuota)
        let time = try elapsed {
            for _ in 0..<count { try spool.append(record, at: 0) }
            try spool.write(at: 0)
        }
        return "{\"records\": \(count), \"ns\": \(time)}"
    case "written":
        let spool = try open(folder, quota: largestQuota)
        let before = bytesWritten()
        for number in 1...count {
            try spool.append(record, at: 0)
            if number % 1000 == 0 { try spool.sync(at: 0) }
        }
        return "{\"payload\": \(count * recordSize), \"written\": \(bytesWritten() - before)}"
    case "recover":
        do {
            let spool = try open(folder, quota: largestQuota)
            while spool.statistics.used < count {
                for _ in 0..<10_000 { try spool.append(record, at: 0) }
                try spool.sync(at: 0)
            }
        }
        var found: SpoolStatistics?
        let time = try elapsed { found = try open(folder, quota: largestQuota).statistics }
        return "{\"bytes\": \(found?.used ?? 0), \"records\": \(found?.written ?? 0), \"ns\": \(time)}"
    default: return "{}"
    }
}

do {
    print(try run())
} catch {
    print("spool-benchmark: \(error)")
    exit(1)
}
