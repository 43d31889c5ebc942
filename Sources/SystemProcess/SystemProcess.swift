package import LinuxSystem

/// The life of one of Holdfast's own processes, which `holdfastd` starts and hands a socket.
package enum SystemProcess {
    /// The number of the descriptor that holdfastd has the process inherit.
    package static let channelDescriptor: Int32 = 3
    private static let standardError: Int32 = 2

    /// What a process begins with.
    package struct Beginning {
        package let loop: EventLoop
        /// The socket to holdfastd.
        package let channel: UnixStream
        package let deadman: DeadmanAlarm
        /// A line on standard error, which is holdfastd's; dropped when it would block.
        package let say: (String) -> Void
    }

    /// - Parameters:
    ///   - longestWork: how long one piece of work of the loop may take, in seconds; then the process is ended.
    ///   - sharesHeap: whether its threads share one heap.
    /// - Returns: exit status 0 once holdfastd has gone or SIGTERM came; 1 when it could not begin or its event loop failed, which
    ///   holdfastd answers with a restart.
    package static func run<Runtime: SystemRuntime>(
        _ name: String, longestWork: UInt32, sharesHeap: Bool, _ make: (Beginning) throws(SystemError) -> Runtime
    ) -> Int32 {
        let say = { (message: String) in Self.say("\(name): \(message)\n") }
        do throws(SystemError) {
            SignalSource.ignoreBrokenPipes()
            // Started through /proc/self/exe, it would be "exe" in every list of processes.
            try? SystemCall.setProcessName(name)
            // Descriptors for each worker; where it cannot be raised, the workers beyond the limit are reported.
            try? ProcessDefaults.current().raiseDescriptorLimit()
            if sharesHeap { SystemCall.shareHeap() }
            // First: started by hand there is none, and another descriptor of ours would get its number.
            let channel = try UnixStream.inherited(at: channelDescriptor)
            let loop = try EventLoop()
            let runtime = try make(
                Beginning(loop: loop, channel: channel, deadman: DeadmanAlarm(seconds: longestWork), say: say))
            runtime.onWarning = say
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

    private static func say(_ line: String) {
        guard (try? SystemCall.wait(for: standardError, .writable, timeout: .zero)) == true else { return }
        _ = try? SystemCall.write(standardError, Array(line.utf8))
    }
}

/// What such a process does.
package protocol SystemRuntime: AnyObject {
    /// Called with what an operator should know.
    var onWarning: (String) -> Void { get set }
    func start() throws(SystemError)
    /// Ends the event loop once what is under way is done.
    func finish()
}
