import LinuxSystem
import SystemProcess

extension ExecutorRuntime: SystemRuntime {
    /// How long one piece of work may take: copying and hashing the largest plugin from a slow card is the longest.
    private static let longestWork: UInt32 = 120

    /// The whole life of the process.
    package static func run() -> Int32 {
        SystemProcess.run("holdfast-executor", longestWork: longestWork, sharesHeap: false) { it in
            ExecutorRuntime(loop: it.loop, channel: it.channel, deadman: it.deadman)
        }
    }
}
