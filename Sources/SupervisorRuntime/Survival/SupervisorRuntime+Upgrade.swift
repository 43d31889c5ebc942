import ControlProtocol
import LinuxSystem
import MonotonicTime
import Supervision

/// Executing another binary in the place of this one, with the same workers. The new binary is asked first whether it
/// can take over; if it fails later all the same, its successor adopts the workers from the state and the fd store.
extension SupervisorRuntime {
    /// How long the new binary may take to answer.
    private static var longestCheck: Duration { .seconds(10) }

    /// - Parameters:
    ///   - binary: an absolute path; `nil` for the file that this process was started from, which may be a new one by now.
    ///   - connection: is told why the upgrade is refused. After a successful one it ends without a reply.
    func upgrade(to binary: String?, for connection: ControlConnection? = nil) {
        let path = binary ?? executable
        if let reason = objection(to: path) { return refuseUpgrade(to: path, reason, connection) }
        do throws(SystemError) {
            try check(path, connection)
        } catch {
            refuseUpgrade(to: path, "it cannot be started: \(error.message)", connection)
        }
    }

    private func objection(to path: String) -> String? {
        guard !isStopping else { return "the runtime is stopping" }
        guard upgradeCheck == nil else { return "another upgrade is under way" }
        guard path.hasPrefix("/") else { return "the path has to begin with a slash" }
        guard let status = try? SystemCall.status(of: path) else { return "there is no such file" }
        guard status.kind == .regular, status.mode & 0o111 != 0 else { return "it is no executable file" }
        guard !runsAsRoot || status.uid == 0 && status.mode & 0o022 == 0 else {
            return "only root may be able to write a file that runs as root (chown root, chmod go-w)"
        }
        return nil
    }

    /// Runs the binary once, to see whether it starts here, accepts the configuration, and reads our state.
    private func check(_ path: String, _ connection: ControlConnection?) throws(SystemError) {
        var request = SpawnRequest(
            executable: path,
            arguments: SupervisorCommandLine.check(
                configuration: configurationPath, stateVersion: StateFile.version
            ).arguments,
            environment: ProcessEnvironment.all { !ServiceEnvironment.isAddressedToUs($0) })
        defaults.restore(in: &request)
        let (answer, theirs) = try SystemCall.makePipe(nonBlocking: true).shared()
        request.output = .descriptors(output: theirs.rawValue ?? -1, error: theirs.rawValue ?? -1)
        let child = try ChildProcess.spawn(request)
        theirs.close()
        processes.bystanders.insert(child.pid)
        let registration: EventLoop.Registration
        do throws(SystemError) {
            registration = try loop.register(child.exitDescriptor, .readable) { [unowned self] _ in
                checkEnded(path, connection)
            }
        } catch {
            try? child.signal(SignalNumber.kill)
            processes.bystanders.remove(child.pid)
            throw error
        }
        let timer = loop.schedule(at: loop.now + Self.longestCheck) { [unowned self] in
            upgradeCheck?.tookTooLong = true
            try? child.signal(SignalNumber.kill)
        }
        upgradeCheck = UpgradeCheck(child: child, answer: answer, registration: registration, timer: timer)
    }

    private func checkEnded(_ path: String, _ connection: ControlConnection?) {
        guard let check = upgradeCheck else { return }
        let outcome = check.child.takeExecOutcome()
        guard let exit = check.child.exit(keepingZombie: false) else { return }
        loop.unregister(check.registration)
        loop.cancel(check.timer)
        processes.bystanders.remove(check.child.pid)
        upgradeCheck = nil
        if case .failed(_, let errno) = outcome {
            let error = SystemError(call: "execve", errno: errno)
            return refuseUpgrade(to: path, "it cannot be executed: \(error.message)", connection)
        }
        switch exit {
        case .exited(code: 0):
            guard check.saysYes else { return refuseUpgrade(to: path, "it is no holdfastd", connection) }
            replace(by: path, connection)
        case .exited(code: SupervisorCommandLine.configurationInvalidStatus):
            refuseUpgrade(to: path, "the configuration is not valid for it (see its --check)", connection)
        case .exited(code: SupervisorCommandLine.stateUnreadableStatus):
            refuseUpgrade(to: path, "it cannot read the state of this version; upgrade step by step", connection)
        case .signaled where check.tookTooLong:
            refuseUpgrade(to: path, "its check did not end within \(Wording.duration(Self.longestCheck))", connection)
        case .exited, .signaled, .unknown:
            refuseUpgrade(to: path, "its check \(Wording.sentence(exit))", connection)
        }
    }

    private func replace(by path: String, _ connection: ControlConnection?) {
        guard !isStopping else { return refuseUpgrade(to: path, "the runtime is stopping", connection) }
        chronicle.record(.runtimeUpgrading, "executing \(path) in place of version \(HoldfastVersion.current)")
        driver.recordReports()
        commit()
        if let warning = keeper.warning { return refuseUpgrade(to: path, warning, connection) }
        log.write(.notice, "executing \(path)")
        executions.stop(because: "the runtime was upgraded over it")
        deployments.stop()
        do throws(SystemError) {
            // The new one takes what it finds for the limit that it was started with.
            try defaults.restoreDescriptorLimit()
            try InheritedDescriptors.execute(
                path, SupervisorCommandLine.run(configuration: configurationPath).arguments, leaving: handedOver)
        } catch {
            executions.resume()
            deployments.resume()
            try? defaults.raiseDescriptorLimit()
            refuseUpgrade(to: path, "it cannot be executed: \(error.message)", connection)
        }
    }

    /// What a connected worker, an exit status, or a line in a FIFO would be lost without.
    private var handedOver: [(name: String, number: Int32)] {
        var descriptors: [(name: String, number: Int32)] = []
        for (_, instance) in driver.tree.liveInstances {
            guard let number = processes[instance]?.main.exitDescriptor, number >= 0 else { continue }
            descriptors.append((StoredDescriptor.process(of: instance).name, number))
        }
        for resource in resources.values {
            descriptors.append((StoredDescriptor.notifySocket(of: resource.name).name, resource.notifySocket.rawValue))
            if let number = resource.fifo.rawValue {
                descriptors.append((StoredDescriptor.output(of: resource.name).name, number))
            }
            if let number = resource.telemetry?.descriptor.rawValue {
                descriptors.append((StoredDescriptor.telemetrySocket(of: resource.name).name, number))
            }
        }
        return descriptors
    }

    private func refuseUpgrade(to path: String, _ reason: String, _ connection: ControlConnection?) {
        chronicle.record(.warning, "did not upgrade to \(path): \(reason)")
        log.write(.warning, "did not upgrade to \(path): \(reason)")
        connection?.send(RuntimeError.upgradeRefused(message: "\(path): \(reason)").reply)
    }
}

/// A new binary that is being asked whether it can take over.
struct UpgradeCheck {
    let child: ChildProcess
    /// What it prints.
    let answer: SharedDescriptor
    let registration: EventLoop.Registration
    let timer: TimerID
    var tookTooLong = false

    var saysYes: Bool {
        var buffer = [UInt8](repeating: 0, count: 64)
        let result = buffer.withUnsafeMutableBytes { bytes in
            answer.rawValue.flatMap { try? SystemCall.read($0, into: bytes) }
        }
        guard case .done(let count) = result else { return false }
        return buffer.prefix(count).starts(with: "\(SupervisorCommandLine.checkAnswer) ".utf8)
    }
}
