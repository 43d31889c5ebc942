import ControlProtocol
import FleetAPI

/// What every device does without any plugin, by way of holdfastd.
struct BuiltInCommands {
    let client: ControlClient
    let link: Link
    let status: () -> UplinkStatus

    private enum Key: String { case worker, lines, limit, labels, attachment, incidents }

    private static let mostLines = 1000

    func fill(_ table: CommandTable) {
        for kind in CommandKind.allCases {
            switch kind {
            case .workerStart: steer(kind, table) { .startWorker(name: $0) }
            case .workerStop: steer(kind, table) { .stopWorker(name: $0) }
            case .workerRestart: steer(kind, table) { .restartWorker(name: $0) }
            case .workerPause: steer(kind, table) { .pauseWorker(name: $0) }
            case .workerResume: steer(kind, table) { .resumeWorker(name: $0) }
            case .runtimeReload: ask(kind, table, isRepeatable: false) { _ in .reload }
            case .runtimeStatus: ask(kind, table) { _ in .status }
            case .runtimeHealth: ask(kind, table) { _ in .health }
            case .runtimeIncidents:
                ask(kind, table) { payload in
                    .incidents(worker: payload["worker"]?.stringValue, limit: payload["limit"]?.intValue ?? 20)
                }
            case .workerLogs: table.add(kind.rawValue, isRepeatable: true, collectLogs)
            case .deviceLabels: table.add(kind.rawValue, isRepeatable: true, setLabels)
            case .deviceRekey: table.add(kind.rawValue, isRepeatable: true, changeKey)
            case .diagnosticsCollect: table.add(kind.rawValue, isRepeatable: true, collectDiagnostics)
            }
        }
    }

    /// A method that changes a worker.
    private func steer(_ kind: CommandKind, _ table: CommandTable, _ method: @escaping (String) -> RuntimeMethod) {
        table.add(kind.rawValue, isRepeatable: false) { order, done in
            guard let worker = order.payload[Key.worker.rawValue]?.stringValue, !worker.isEmpty else {
                return done(.rejected("the payload must name a worker: {\"worker\": \"...\"}"))
            }
            client.call(method(worker)) { result in done(Self.end(result) { _ in .succeeded() }) }
        }
    }

    /// A method whose reply is the result.
    private func ask(
        _ kind: CommandKind, _ table: CommandTable, isRepeatable: Bool = true,
        _ method: @escaping (JSONObject) -> RuntimeMethod
    ) {
        table.add(kind.rawValue, isRepeatable: isRepeatable) { order, done in
            client.call(method(order.payload)) { result in
                done(Self.end(result) { .succeeded(.object($0.first ?? [:])) })
            }
        }
    }

    private static func end(
        _ result: Result<[JSONObject], ControlClient.Failure>, _ success: ([JSONObject]) -> CommandEnd
    ) -> CommandEnd {
        switch result {
        case .success(let replies): success(replies)
        case .failure(let failure): .failed(failure.description)
        }
    }

    private func collectLogs(_ order: CommandOrder, _ done: @escaping (CommandEnd) -> Void) {
        guard let worker = order.payload[Key.worker.rawValue]?.stringValue, !worker.isEmpty else {
            return done(.rejected("the payload must name a worker: {\"worker\": \"...\", \"lines\": 100}"))
        }
        let lines = min(max(order.payload[Key.lines.rawValue]?.intValue ?? 100, 1), Self.mostLines)
        client.call(.logs(worker: worker, lines: lines, follow: false)) { result in
            done(
                Self.end(result) { replies in
                    .succeeded([Key.lines.rawValue: .array(replies.compactMap { $0["line"] }.filter { !$0.isNull })])
                })
        }
    }

    private func setLabels(_ order: CommandOrder, _ done: @escaping (CommandEnd) -> Void) {
        guard let labels = order.payload[Key.labels.rawValue]?.objectValue, labels.members.count <= 64,
            labels.members.allSatisfy({ $0.key.utf8.count <= 64 && ($0.value.stringValue?.utf8.count ?? 999) <= 256 })
        else {
            return done(
                .rejected("the payload must have 'labels', an object of at most 64 texts of at most 256 bytes"))
        }
        link.setLabels(labels)
        done(.succeeded([Key.labels.rawValue: .object(link.labels)]))
    }

    private func changeKey(_ order: CommandOrder, _ done: @escaping (CommandEnd) -> Void) {
        link.changeKey { problem in
            if let problem { return done(.failed("the key could not be changed: \(problem)")) }
            done(.succeeded())
        }
    }

    private func collectDiagnostics(_ order: CommandOrder, _ done: @escaping (CommandEnd) -> Void) {
        Diagnostics(client: client, status: status).collect { archive in
            guard let archive else { return done(.failed("there is no memory to compress it")) }
            link.upload(archive, for: order.id) { problem in
                if let problem { return done(.failed("the archive could not be sent: \(problem)")) }
                done(.succeeded([Key.attachment.rawValue: .int(Int64(archive.count))]))
            }
        }
    }
}
