import LinuxSystem

extension UplinkRuntime {
    /// The number of the descriptor that holdfastd has this process inherit.
    package static let channelDescriptor: Int32 = 3

    /// How long one piece of work of the loop may take: a disk that syncs slowly is the longest.
    private static let longestWork: UInt32 = 60
    private static let standardError: Int32 = 2

    /// The whole life of the process: exit status 0 once holdfastd has gone or SIGTERM came; 1 when it could not begin or
    /// cannot go on, which holdfastd answers with a restart.
    package static func run() -> Int32 {
        do throws(SystemError) {
            SignalSource.ignoreBrokenPipes()
            // Started through /proc/self/exe, it would be "exe" in every list of processes.
            try? SystemCall.setProcessName("holdfast-uplink")
            try? ProcessDefaults.current().raiseDescriptorLimit()
            SystemCall.shareHeap()
            // First: started by hand there is none, and another descriptor of ours would get its number.
            let channel = try UnixStream.inherited(at: channelDescriptor)
            let loop = try EventLoop()
            let runtime = try UplinkRuntime(
                loop: loop, channel: channel, environment: .current(), deadman: DeadmanAlarm(seconds: longestWork))
            runtime.onWarning = say
            runtime.onHopeless = {
                say("cannot go on: starting again")
                SystemCall.exit(1)
            }
            let signals = try SignalSource(loop: loop, signals: [SignalNumber.terminate]) { [weak runtime] _ in
                runtime?.finish()
            }
            try runtime.start()
            SystemCall.releaseMemory()
            try loop.run()
            withExtendedLifetime(signals) {}
            return 0
        } catch {
            say("\(error)")
            return 1
        }
    }

    /// A line on standard error, which is holdfastd's; dropped when it would block.
    private static func say(_ message: String) {
        guard (try? SystemCall.wait(for: standardError, .writable, timeout: .zero)) == true else { return }
        _ = try? SystemCall.write(standardError, Array("holdfast-uplink: \(message)\n".utf8))
    }
}
