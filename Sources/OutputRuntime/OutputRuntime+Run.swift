import LinuxSystem
import SystemProcess

extension OutputRuntime: SystemRuntime {
    /// How long one piece of work may take: a turn of a FIFO, a request. A second for a journal that takes no more is
    /// within it; a disk that does not answer is not, and the bytes wait in the FIFO for the next process.
    private static let longestWork: UInt32 = 30

    /// The whole life of the process; it ends with 1 also when its log directory was removed.
    package static func run() -> Int32 {
        SystemProcess.run("holdfast-output", longestWork: longestWork, sharesHeap: false) { it throws(SystemError) in
            let runtime = try OutputRuntime(
                loop: it.loop, channel: it.channel, environment: .current(), deadman: it.deadman)
            // At once: what was read of the FIFOs and is not in a log yet is still in them.
            runtime.onDirectoryGone = { SystemCall.exit(1) }
            return runtime
        }
    }
}
