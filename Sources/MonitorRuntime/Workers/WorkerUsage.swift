import LinuxSystem
import MonotonicTime

/// What a worker uses, from /proc and its cgroup. Files stay open where there are few workers: one of a process that is gone
/// answers with an error, even if another one has its pid.
final class WorkerUsage {
    private struct Files {
        var stat: KernelFile
        var memory: KernelFile
        var group: KernelFile?
    }

    private let pid: Int
    private let cgroup: String?
    private let keepsOpen: Bool
    private var files: Files?
    private var last: (time: Double, at: MonotonicInstant)?
    private var isGone = false

    /// Of one processor, between the last two samples.
    private(set) var processorPercent: Double?
    /// In seconds.
    private(set) var processorTime: Double?
    private(set) var residentBytes: Int?
    private(set) var threads: Int?

    /// - Parameter cgroup: its folder.
    init(pid: Int, cgroup: String?, keepsOpen: Bool) {
        self.pid = pid
        self.cgroup = cgroup
        self.keepsOpen = keepsOpen
    }

    func sample(_ root: String, into buffer: UnsafeMutableRawBufferPointer, at now: MonotonicInstant) {
        guard !isGone else { return }
        do throws(SystemError) {
            let files = try openFiles(root)
            guard let process = try files.stat.read(into: buffer, ProcessTimes.init) else { return }
            residentBytes = try files.memory.read(into: buffer, WorkerUsage.residentPages)
                .map { $0 * MachineConstants.pageSize }
            threads = process.threads
            var time = Double(process.ticks) / Double(MachineConstants.clockTicksPerSecond)
            if let group = files.group, let microseconds = try group.read(into: buffer, WorkerUsage.microseconds) {
                time = Double(microseconds) / 1_000_000
            }
            take(time, at: now)
        } catch {
            // It has ended; holdfastd will tell of the next one.
            isGone = true
            files = nil
            (processorPercent, residentBytes, threads) = (nil, nil, nil)
        }
    }

    private func openFiles(_ root: String) throws(SystemError) -> Files {
        if let files { return files }
        let opened = Files(
            stat: try KernelFile("\(root)/\(pid)/stat"), memory: try KernelFile("\(root)/\(pid)/statm"),
            group: cgroup.flatMap { try? KernelFile("\($0)/cpu.stat") })
        if keepsOpen { files = opened }
        return opened
    }

    private func take(_ time: Double, at now: MonotonicInstant) {
        if let last {
            let elapsed = last.at.duration(to: now).inSeconds
            if elapsed > 0 { processorPercent = max(0, (time - last.time) / elapsed * 100) }
        }
        last = (time, now)
        processorTime = time
    }

    /// The second number of /proc/PID/statm.
    static func residentPages(_ bytes: UnsafeRawBufferPointer) -> Int? {
        bytes.number(atField: 1)
    }

    /// usage_usec of cpu.stat, which is its first line.
    static func microseconds(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let label = Array("usage_usec".utf8)
        guard bytes.starts(with: label) else { return nil }
        return bytes.number(atField: 1)
    }
}

/// What /proc/PID/stat (proc_pid_stat(5)) says of the use of a processor.
struct ProcessTimes: Equatable {
    /// In user mode and in the kernel, without children.
    var ticks: Int
    var threads: Int

    init?(_ bytes: UnsafeRawBufferPointer) {
        // The name before it may hold anything, parentheses and spaces included. The state is the third field.
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")), end + 2 < bytes.count else { return nil }
        let fields = UnsafeRawBufferPointer(rebasing: bytes[(end + 2)...])
        guard let user = fields.number(atField: 11), let system = fields.number(atField: 12),
            let threads = fields.number(atField: 17)
        else { return nil }
        ticks = user + system
        self.threads = threads
    }
}

extension UnsafeRawBufferPointer {
    /// A decimal number among fields between single spaces, counted from 0; without an allocation, for each worker is
    /// looked at with every sample.
    fileprivate func number(atField wanted: Int) -> Int? {
        var field = 0
        var value: Int?
        for byte in self {
            if byte == 0x20 || byte == 0x0A {
                if field == wanted { return value }
                field += 1
                if byte == 0x0A && field <= wanted { return nil }
            } else if field == wanted {
                guard (0x30...0x39).contains(byte) else { return nil }
                let (product, overflow) = (value ?? 0).multipliedReportingOverflow(by: 10)
                if overflow { return nil }
                value = product &+ Int(byte - 0x30)
            }
        }
        return field == wanted ? value : nil
    }
}
