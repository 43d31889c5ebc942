import DeviceConfiguration
import LinuxSystem
import MonotonicTime
import Supervision

/// From a worker's configuration to its process.
extension SupervisorRuntime {
    /// The step of a spawn that never began, since the machine does not know the worker's user or one of its groups.
    static var unknownUserStep: String { "user" }
    private static var spawnsRecordedTogether: Int { 8 }

    var runsAsRoot: Bool { SystemCall.effectiveUserID() == 0 }

    func spawn(_ worker: WorkerID, _ instance: InstanceID) {
        let name = name(of: worker)
        do throws(SystemError) {
            switch name {
            case OutputWorker.name: try spawnOutput(worker, instance)
            case MonitorWorker.name: try spawnMonitor(worker, instance)
            case UplinkWorker.name: try spawnUplink(worker, instance)
            default: try spawnConfigured(worker, instance, name)
            }
        } catch {
            // Nothing of the instance exists. The tree backs off and tries again, whatever it was (EAGAIN, EMFILE, ...).
            driver.deliver(.spawnFailed(worker, instance, SpawnFailure(step: error.call, errno: error.errno)))
        }
    }

    private func spawnConfigured(_ worker: WorkerID, _ instance: InstanceID, _ name: String) throws(SystemError) {
        // The tree and the launches come from the same configuration.
        guard let launch = configuration.launches[name] else { return }
        guard !runsAsRoot || launch.identity != nil else {
            throw SystemError(call: Self.unknownUserStep, errno: SystemError.noSuchEntry)
        }
        let resource = try resource(of: worker, name)
        resource.statusText = nil
        resource.refusedMessages = 0
        var request = request(for: launch, name, mark: processes.mark(of: instance), resource)
        request.output = .fifo(path: resource.fifoPath)
        if let identity = request.identity {
            try resource.letOpenFIFO(identity.uid)
            try resource.telemetry?.letSend(uid: identity.uid, gid: identity.gid)
        }
        markOutput(of: resource, from: instance)
        let isExempt = driver.tree.specification(of: worker)?.isEssential ?? false
        request.niceness = throttle.startNiceness(launch.share, isExempt: isExempt)
        try processes.spawn(worker, instance, request, cgroup: cgroups.make(for: name, instance, launch.groupLimits))
        if let process = processes[instance] { throttle.begin(process, launch.share, isExempt: isExempt) }
        // Recording takes less time than the process needs to get ready, and waking it would take more. In a burst of starts
        // it takes most of the time there is, so that several are recorded together.
        let isBurst = driver.hasMoreSpawns || loop.hasMoreEvents
        if !isBurst || processes.unrecordedCount >= Self.spawnsRecordedTogether { commit() }
        if let pid = processes.pid(of: instance) { outputLink.started(name, pid: Int(pid), instance) }
    }

    /// - Parameter mark: what it carries as HOLDFAST_INSTANCE.
    func request(
        for launch: WorkerLaunch, _ name: String, mark: String, _ resource: WorkerResources
    ) -> SpawnRequest {
        var environment = launch.environment
        environment["HOLDFAST_WORKER"] = name
        environment[Orphans.instanceVariable] = mark
        environment["NOTIFY_SOCKET"] = resource.notifySocket.path
        if launch.reportsTelemetry {
            environment["HOLDFAST_TELEMETRY_SOCKET"] = directory.telemetrySocket(of: name)
        }
        if let watchdog = launch.watchdog {
            environment["WATCHDOG_USEC"] = String(watchdog.wholeNanoseconds / 1000)
        }
        environment["PATH"] = launch.searchPath
        var request = SpawnRequest(
            executable: SpawnRequest.resolve(launch.command[0], path: launch.searchPath), arguments: launch.command,
            environment: environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })
        request.workingDirectory = launch.workingDirectory
        // Without root nobody can become another user: everything runs as the one who started the runtime.
        request.identity = runsAsRoot ? launch.identity : nil
        request.fileModeMask = launch.umask
        request.oomScoreAdjustment = launch.oomScoreAdjustment
        request.limits = launch.limits.map(\.forSpawn)
        request.confinement.forbidsNewPrivileges = launch.sandbox.forbidsNewPrivileges
        request.confinement.sandbox = launch.sandbox.view
        defaults.restore(in: &request)
        // This process has the score that it was started with, and the child inherits it.
        if request.oomScoreAdjustment == defaults.oomScoreAdjustment { request.oomScoreAdjustment = nil }
        return request
    }

    /// Brings the cgroups of all workers that run to the limits that are configured now.
    func applyLimits(exceptUnchanged former: [String: WorkerLaunch]? = nil) {
        for (worker, instance) in driver.tree.liveInstances {
            let name = name(of: worker)
            guard let limits = configuration.launches[name]?.groupLimits,
                let cgroup = processes[instance]?.group.cgroup,
                former.map({ $0[name]?.groupLimits != limits }) ?? true
            else { continue }
            cgroups.apply(limits, to: cgroup)
        }
    }

    /// Said once for all workers with a sandbox, should the kernel leave it a hole.
    var unsealedWarning: String? {
        guard !Sandbox.canBeSealed, configuration.launches.values.contains(where: { $0.sandbox.view != nil }) else {
            return nil
        }
        return
            "this kernel has no Landlock of version 2 (Linux 5.19): what a sandbox hides from a worker is seen through "
            + "other processes of its user, so give each such worker a user of its own"
    }

    /// What belongs to the worker; made when it is first needed, out of what a supervisor before us has left.
    func resource(of worker: WorkerID, _ name: String) throws(SystemError) -> WorkerResources {
        if let resource = resources[worker] { return resource }
        let pipeBytes = SystemSupervisor.includes(name) ? nil : configuration.output.pipeSize
        let resource = try WorkerResources(name: name, in: directory, pipeBytes: pipeBytes, inherited: &inherited)
        resource.notifyRegistration = try loop.register(resource.notifySocket.rawValue, .readable) {
            [weak self] _ in self?.receiveNotifications(of: worker)
        }
        resources[worker] = resource
        store(.notifySocket(of: name)) { [weak resource] in resource?.notifySocket.rawValue }
        store(.output(of: name)) { [weak resource] in resource?.fifo.rawValue }
        // Before the FIFO: its first line may be telemetry.
        refreshTelemetry(of: resource)
        if let output = configuration.outputs[name] { outputLink.add(name, output, reading: resource.fifo) }
        return resource
    }
}
