import ControlProtocol
import LinuxSystem
import MonotonicTime

/// Measures the main processes of workers. CPU use is that since the last call; for a process that is new to the
/// sampler, it is the average over the process's life.
struct ProcessSampler {
    /// The machine as the sampler sees it; tests play the kernel.
    struct Source {
        /// The content of /proc/PID/stat.
        var stat: (Int) -> String?
        /// Since boot, suspended time included: what start times in /proc count from (proc_uptime(5)).
        var uptime: () -> Double?
        var clockTicksPerSecond: Int
        var pageSize: Int
    }

    private struct Previous {
        var sample: ProcessSample
        var uptime: Double
    }

    private let source: Source
    private var previous: [Int: Previous] = [:]

    init(_ source: Source = .machine) {
        self.source = source
    }

    mutating func rows(for workers: [WorkerReport]) -> [TopRow] {
        let uptime = source.uptime() ?? 0
        var seen: [Int: Previous] = [:]
        let rows = workers.map { worker in
            guard let pid = worker.pid, let text = source.stat(pid), let sample = ProcessSample(stat: text) else {
                return TopRow(worker: worker)
            }
            seen[pid] = Previous(sample: sample, uptime: uptime)
            return TopRow(worker: worker, usage: usage(of: sample, pid: pid, uptime: uptime))
        }
        previous = seen
        return rows
    }

    private func usage(of sample: ProcessSample, pid: Int, uptime: Double) -> ProcessUsage {
        let perSecond = Double(source.clockTicksPerSecond)
        var ticks = Double(sample.cpuTicks)
        var seconds = uptime - Double(sample.startTicks) / perSecond
        if let earlier = previous[pid], earlier.sample.startTicks == sample.startTicks {
            ticks -= Double(earlier.sample.cpuTicks)
            seconds = uptime - earlier.uptime
        }
        // Two samples within one tick say nothing about a rate.
        let percent = seconds * perSecond >= 1 ? max(0, ticks / perSecond / seconds * 100) : 0
        return ProcessUsage(
            cpuPercent: percent, residentBytes: sample.residentPages &* source.pageSize, threads: sample.threads)
    }
}

extension ProcessSampler.Source {
    /// /proc of this machine.
    static var machine: ProcessSampler.Source {
        func text(_ path: String) -> String? {
            (try? SystemCall.readFile(path, limit: 4096)).map { String(decoding: $0, as: UTF8.self) }
        }
        return ProcessSampler.Source(
            stat: { text("/proc/\($0)/stat") },
            uptime: { text("/proc/uptime")?.split(separator: " ").first.flatMap { Double($0) } },
            clockTicksPerSecond: MachineConstants.clockTicksPerSecond, pageSize: MachineConstants.pageSize)
    }
}
