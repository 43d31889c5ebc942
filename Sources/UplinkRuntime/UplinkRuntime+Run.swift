import LinuxSystem
import SystemProcess

extension UplinkRuntime: SystemRuntime {
    /// How long one piece of work of the loop may take: a disk that syncs slowly is the longest.
    private static let longestWork: UInt32 = 60

    /// The whole life of the process; it ends with 1 also when it cannot go on.
    package static func run() -> Int32 {
        SystemProcess.run("holdfast-uplink", longestWork: longestWork, sharesHeap: true) { it throws(SystemError) in
            let runtime = try UplinkRuntime(
                loop: it.loop, channel: it.channel, environment: .current(), deadman: it.deadman)
            runtime.onHopeless = {
                it.say("cannot go on: starting again")
                SystemCall.exit(1)
            }
            return runtime
        }
    }
}
