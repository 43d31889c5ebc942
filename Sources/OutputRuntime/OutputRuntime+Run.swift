import LinuxSystem

extension OutputRuntime {
    /// The number of the descriptor that holdfastd has this process inherit.
    package static let channelDescriptor: Int32 = 3

    /// How long one piece of work may take: a turn of a FIFO, a request. A second for a journal that takes no more is
    /// within it; a disk that does not answer is not, and the bytes wait in the FIFO for the next process.
    private static let longestWork: UInt32 = 30
    private static let standardError: Int32 = 2

    /// The whole life of the process: exit status 0 once holdfastd has gone or SIGTERM came and everything readable is
    /// logged; 1 when it could not begin, its event loop failed or its log directory was removed, which holdfastd answers
    /// with a restart.
    package static func run() -> Int32 {
        do throws(SystemError) {
            SignalSource.ignoreBrokenPipes()
            // Started through /proc/self/exe, it would be "exe" in every list of processes.
            try? SystemCall.setProcessName("holdfast-output")
            // Two descriptors per worker; where it cannot be raised, the workers beyond the limit are reported.
            try? ProcessDefaults.current().raiseDescriptorLimit()
            // First: started by hand there is none, and another descriptor of ours would get its number.
            let channel = try UnixStream.inherited(at: channelDescriptor)
            let loop = try EventLoop()
            let runtime = try OutputRuntime(
                loop: loop, channel: channel, environment: .current(), deadman: DeadmanAlarm(seconds: longestWork))
            runtime.onWarning = say
            // At once: what was read of the FIFOs and is not in a log yet is still in them.
            runtime.onDirectoryGone = { SystemCall.exit(1) }
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
        _ = try? SystemCall.write(standardError, Array("holdfast-output: \(message)\n".utf8))
    }
}
