import ControlProtocol
import LinuxSystem
import Supervision

/// What workers say on their notify sockets (sd_notify(3)).
extension SupervisorRuntime {
    /// At most this many messages are taken in one go, so that a worker which talks without end starves nobody.
    private static var mostMessagesAtOnce: Int { 32 }

    func receiveNotifications(of worker: WorkerID) {
        guard let resource = resources[worker] else { return }
        for _ in 0..<Self.mostMessagesAtOnce {
            guard let message = try? resource.notifySocket.receive() else { return }
            handle(message, of: worker, resource)
        }
    }

    private func handle(_ message: NotifyMessage, of worker: WorkerID, _ resource: WorkerResources) {
        guard let instance = driver.tree.instance(of: worker), let process = processes[instance] else { return }
        // A sender that is gone by now cannot be judged, and is refused: systemd-notify waits with BARRIER=1 for that.
        let sender = message.sender.pid
        guard sender > 0, sender == process.main.pid || process.group.contains(sender) else {
            return refuse(message, resource)
        }
        processes.reportStart(of: instance)
        for field in message.fields {
            switch field {
            case .status(let text): resource.statusText = text
            case .mainPID(let pid):
                guard pid != process.main.pid else { break }
                if processes.declareMain(pid, of: instance) {
                    monitorLink.workersChanged([worker])
                } else {
                    refuse(message, resource)
                }
            case .barrier: break  // answered when the message goes, with its descriptors
            case .ready, .watchdogPing, .watchdogTrigger, .watchdogPeriod, .stopping, .reloading, .extendTimeout,
                .checkpoint:
                if let notification = field.notification { driver.deliver(.notified(worker, instance, notification)) }
            }
        }
    }

    /// The first refusal of each instance is an event; the others only count.
    private func refuse(_ message: NotifyMessage, _ resource: WorkerResources) {
        resource.refusedMessages += 1
        guard resource.refusedMessages == 1 else { return }
        let sender = message.sender
        chronicle.record(
            .notifyRefused, worker: resource.name,
            "refused what process \(sender.pid) said on its notify socket: that is none of its own processes",
            details: ["pid": .int(Int64(sender.pid)), "uid": .int(Int64(sender.uid))])
    }
}

extension NotifyField {
    /// What of it concerns the supervision of its worker.
    var notification: Notification? {
        switch self {
        case .ready: .ready
        case .watchdogPing: .watchdogPing
        case .watchdogTrigger: .watchdogTriggered
        case .watchdogPeriod(let period): .watchdogPeriodChanged(period)
        case .stopping: .stopping
        case .reloading: .reloading
        case .extendTimeout(let duration): .timeoutExtended(duration)
        case .checkpoint(let name): .checkpoint(name)
        case .status, .mainPID, .barrier: nil
        }
    }
}
