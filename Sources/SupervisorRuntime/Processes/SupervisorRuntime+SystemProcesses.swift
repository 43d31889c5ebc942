import DeviceConfiguration
import LinuxSystem
import MonotonicTime
import Supervision

/// What Holdfast's own processes have in common.
extension SupervisorRuntime {
    private static var standardError: Int32 { 2 }
    private static var channelNumber: Int32 { 3 }
    /// How long one of them may be stopped before it is replaced.
    private static var longestStop: Duration { .seconds(10) }

    var systemSpecification: SupervisorSpecification {
        SystemSupervisor.specification(
            output: outputSetup.fingerprint, monitor: runsMonitor ? monitorSetup.fingerprint : nil,
            uplink: uplinkSetup?.fingerprint)
    }

    /// Starts this very binary under another name: processes that share their pages cost little together.
    /// Its file is found without its path, which its user may have no right to.
    func spawnSystemProcess(
        _ name: String, _ worker: WorkerID, _ instance: InstanceID, _ confinement: SystemConfinement,
        channel: UnixStream
    ) throws(SystemError) {
        let resource = try resource(of: worker, name)
        var request = SpawnRequest(
            executable: SystemConfinement.ownProgram, arguments: [name],
            environment: [
                "PATH=\(WorkerLaunch.defaultSearchPath)", "HOLDFAST_WORKER=\(name)",
                "HOLDFAST_INSTANCE=\(processes.mark(of: instance))", "NOTIFY_SOCKET=\(resource.notifySocket.path)",
            ])
        confinement.apply(to: &request)
        defaults.restore(in: &request)
        request.output = .descriptors(output: Self.standardError, error: Self.standardError)
        request.inherited = [(source: channel.rawValue, target: Self.channelNumber)]
        try processes.spawn(worker, instance, request, cgroup: cgroups.make(for: name, instance))
    }

    /// It has said on its channel that it is ready: it may have a user that cannot reach its notify socket (a runtime_dir
    /// below somebody's home).
    func systemProcessIsReady(_ name: String) {
        guard let worker = driver.tree.worker(named: name), let instance = driver.tree.instance(of: worker) else {
            return
        }
        processes.reportStart(of: instance)
        driver.deliver(.notified(worker, instance, .ready))
    }

    /// They have lost their channels with the one who made them: they finish what they do and end. That is no failure.
    func replaceSystemProcesses() {
        for name in SystemSupervisor.names {
            guard let worker = driver.tree.worker(named: name), driver.tree.instance(of: worker) != nil else {
                continue
            }
            driver.deliver(.operatorRequested(worker, .restart))
        }
    }

    /// An operator has stopped it: nothing starts it again but another request.
    func isUnwanted(_ name: String) -> Bool {
        !isStopping && driver.status.workers.first { $0.name == name }?.state == .stopped
    }

    // MARK: Stops

    /// SIGCHLD: whether somebody has stopped one of them (kill -STOP, a terminal). What is stopped reads nothing and cannot
    /// say so; no alarm of its own reaches it. A pause by the operator is meant, and lasts.
    func checkSystemProcessesRun() {
        for name in SystemSupervisor.names {
            guard let worker = driver.tree.worker(named: name), let instance = driver.tree.instance(of: worker),
                let pid = processes.pid(of: instance), let status = ProcessStatus(of: pid),
                status.isStopped != (stopTimers[name] != nil)
            else { continue }
            if status.isStopped {
                stopTimers[name] = loop.schedule(at: loop.now + Self.longestStop) { [unowned self] in
                    replaceStopped(name, worker, instance)
                }
            } else if let timer = stopTimers.removeValue(forKey: name) {
                loop.cancel(timer)
            }
            if name == OutputWorker.name { outputStopped(status.isStopped) }
        }
    }

    private func replaceStopped(_ name: String, _ worker: WorkerID, _ instance: InstanceID) {
        guard driver.status.workers.first(where: { $0.id == worker })?.state != .paused else { return }
        driver.deliver(.notified(worker, instance, .watchdogTriggered))
    }
}
