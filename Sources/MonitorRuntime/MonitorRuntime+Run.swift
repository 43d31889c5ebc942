import LinuxSystem
import SystemProcess

extension MonitorRuntime: SystemRuntime {
    /// How long one piece of work of the loop may take. Nothing of it waits for hardware.
    private static let longestWork: UInt32 = 30

    /// The whole life of the process; it ends with 1 also when too many threads are stuck in the kernel.
    package static func run() -> Int32 {
        SystemProcess.run("holdfast-monitor", longestWork: longestWork, sharesHeap: true) { it throws(SystemError) in
            let runtime = try MonitorRuntime(
                loop: it.loop, channel: it.channel, environment: .current(), deadman: it.deadman)
            // Not by the loop's end: nothing of this process is worth waiting for any more.
            runtime.onHopeless = {
                it.say("too much does not answer: starting again")
                SystemCall.exit(1)
            }
            // What the start took is not needed again.
            var rounds = 0
            runtime.onRoundEnded = { [weak runtime] in
                rounds += 1
                guard rounds == 2 else { return }
                SystemCall.releaseMemory()
                runtime?.onRoundEnded = {}
            }
            return runtime
        }
    }
}
