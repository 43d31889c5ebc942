package import LinuxSystem

/// A plugin host that this process has started itself, for inspections and for trials: a group of processes that ends as a
/// whole. It has this process's rights, and none of the confinement that `holdfastd` gives one on a device.
package final class PluginHostProcess {
    /// The number of the descriptor that a host finds its socket at.
    package static let channelDescriptor: Int32 = 3

    private let loop: EventLoop
    private let child: ChildProcess
    private let group: ProcessGroup
    private var registration: EventLoop.Registration?

    /// Ours of the pair; for a `PluginSession` or a `PluginInspection`.
    package let socket: UnixStream
    /// Called once, when the process has ended and the rest of its group is killed.
    package var onExit: (ProcessExit) -> Void = { _ in }

    package var pid: Int32 { child.pid }

    /// - Parameters:
    ///   - path: of the program `holdfast-plugin-host`.
    ///   - environment: "NAME=value" each. `LD_LIBRARY_PATH` is where the plugin's own libraries are looked for.
    ///   - output: where the plugin prints.
    /// - Throws: an error of spawning. That the program cannot be executed shows as exit status 127 of a host that said nothing.
    package init(
        loop: EventLoop, path: String, environment: [String], output: SpawnRequest.Output,
        workingDirectory: String? = nil
    ) throws(SystemError) {
        let (ours, theirs) = try UnixStream.makePacketPair()
        var request = SpawnRequest(executable: path, arguments: ["holdfast-plugin-host"], environment: environment)
        request.output = output
        request.workingDirectory = workingDirectory
        request.inherited = [(source: theirs.rawValue, target: Self.channelDescriptor)]
        socket = ours
        self.loop = loop
        child = try ChildProcess.spawn(request)
        group = ProcessGroup(leader: child)
        do throws(SystemError) {
            registration = try loop.register(child.exitDescriptor, .readable, order: .last) { [weak self] _ in
                self?.ended()
            }
        } catch {
            // Unwatched nobody would reap it.
            group.kill()
            throw error
        }
    }

    deinit {
        guard let registration else { return }
        loop.unregister(registration)
        group.kill()
        _ = try? SystemCall.wait(for: child.exitDescriptor, .readable, timeout: nil)
        _ = child.exit(keepingZombie: false)
    }

    /// Kills it with all that it has started; `onExit` follows.
    package func kill() {
        guard registration != nil else { return }
        group.kill()
    }

    private func ended() {
        guard let exit = child.exit(keepingZombie: true) else { return }
        if let registration = registration.take() { loop.unregister(registration) }
        // As long as the zombie is there, the group's number is nobody else's.
        group.killBesidesZombie()
        _ = child.exit(keepingZombie: false)
        onExit(exit)
    }
}
