import LinuxSystem

extension OutputRuntime {
    /// The number of the descriptor that holdfastd has this process inherit.
    package static let channelDescriptor: Int32 = 3

    /// The whole life of the process: exit status 0 once holdfastd has gone or SIGTERM came and everything readable is
    /// logged; 1 when it could not begin or its event loop failed, which holdfastd answers with a restart.
    package static func run() -> Int32 {
        do throws(SystemError) {
            SignalSource.ignoreBrokenPipes()
            // Two descriptors per worker; where it cannot be raised, the workers beyond the limit are reported.
            try? ProcessDefaults.current().raiseDescriptorLimit()
            let loop = try EventLoop()
            let channel = try UnixStream.inherited(at: channelDescriptor)
            let runtime = try OutputRuntime(
                loop: loop, channel: channel, notifySocket: ProcessEnvironment.value("NOTIFY_SOCKET"),
                watchdogMicroseconds: ProcessEnvironment.value("WATCHDOG_USEC").flatMap { Int64($0) })
            let signals = try SignalSource(loop: loop, signals: [SignalNumber.terminate]) { [weak runtime] _ in
                runtime?.finish()
            }
            try runtime.start()
            try loop.run()
            withExtendedLifetime(signals) {}
            return 0
        } catch {
            let line = "<3>holdfast-output: \(error)\n"
            // With nobody on the other side there is nothing left to do about it.
            _ = try? SystemCall.write(2, Array(line.utf8))
            return 1
        }
    }
}
