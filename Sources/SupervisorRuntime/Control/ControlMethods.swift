import ControlProtocol
import LinuxSystem
import MonitorProtocol
import Supervision
import UplinkProtocol

/// What the methods of the control interface do.
extension SupervisorRuntime {
    func perform(_ method: RuntimeMethod, for connection: ControlConnection) {
        switch method {
        case .status:
            connection.send(VarlinkReply(statusReport()))
        case .startWorker(let name):
            request(connection, name) { .operatorRequested($0, .start) }
        case .stopWorker(let name):
            request(connection, name) { .operatorRequested($0, .stop) }
        case .restartWorker(let name):
            request(connection, name) { .operatorRequested($0, .restart) }
        case .pauseWorker(let name):
            request(connection, name) { .pauseRequested($0, .operator) }
        case .resumeWorker(let name):
            request(connection, name) { .resumeRequested($0, .operator) }
        case .events(let since, let follow):
            connection.streamEvents(since: since, follows: follow, from: chronicle)
        case .incidents(let worker, let limit, let since):
            if let worker, driver.tree.worker(named: worker) == nil { return refuse(connection, worker) }
            let limit = min(limit ?? 20, Self.mostIncidents)
            let incidents =
                since.map { chronicle.incidents(of: worker, since: $0, limit: limit) }
                ?? chronicle.latestIncidents(of: worker, limit: limit)
            connection.send(VarlinkReply(IncidentsReply(incidents: incidents)))
        case .logs(let worker, let lines, let follow):
            handOverLogs(connection, worker, lines, follow)
        case .health:
            ask(.health, for: connection) { [unowned self] in healthReply($0) }
        case .metrics:
            ask(.metrics, for: connection) { VarlinkReply(MetricsReply(text: $0)) }
        case .uplink:
            ask(.status, for: connection) { (try? UplinkStatus(json: $0)).map { VarlinkReply($0) } }
        case .enrol(let token):
            enrol(token, for: connection)
        case .execute(let call): executions.execute(call, for: connection)
        case .cancelExecution(let id): executions.cancel(id, for: connection)
        case .plugins: executions.list(for: connection)
        case .deploy(let order): deployments.deploy(order, for: connection)
        case .cancelDeployment(let id): deployments.cancel(id, for: connection)
        case .deployments: deployments.list(for: connection)
        case .upgrade(let binary):
            upgrade(to: binary, for: connection)
        case .reload:
            do throws(RuntimeError) {
                let report = try reload()
                commit()
                connection.send(VarlinkReply(report))
            } catch {
                connection.send(error.reply)
            }
        }
    }

    private static var mostIncidents: Int { 1000 }

    private func request(_ connection: ControlConnection, _ name: String, _ event: (WorkerID) -> Event) {
        guard let worker = driver.tree.worker(named: name) else { return refuse(connection, name) }
        guard !isStopping else {
            return connection.send(RuntimeError.unavailable(message: "the runtime is stopping").reply)
        }
        driver.deliver(event(worker))
        commit()
        connection.send(VarlinkReply())
    }

    private func refuse(_ connection: ControlConnection, _ name: String) {
        connection.send(RuntimeError.noSuchWorker(name: name).reply)
    }

    private func handOverLogs(_ connection: ControlConnection, _ worker: String, _ lines: Int?, _ follow: Bool) {
        guard driver.tree.worker(named: worker) != nil else { return refuse(connection, worker) }
        guard outputLink.isReady else {
            let message =
                isUnwanted(OutputWorker.name)
                ? "holdfast-output was stopped by an operator; start it: holdfast worker start \(OutputWorker.name)"
                : "holdfast-output is not running; it is restarted, try again in a moment"
            return connection.send(RuntimeError.outputUnavailable(message: message).reply)
        }
        guard let client = connection.detach() else { return }
        _ = outputLink.handOver(client, worker: worker, lines: lines, follow: follow)
    }
}
