import ControlProtocol
import GRDB
package import Rollout

extension SQLiteStore {
    package func deployments(_ filter: DeploymentFilter) async throws -> [StoredDeployment] {
        let states = (filter.states ?? Set(Rollout.State.allCases)).map(\.rawValue)
        let arguments: [(any DatabaseValueConvertible)?] =
            [filter.bundle, filter.bundle, filter.before, filter.before, filter.device, filter.device] + states
            + [filter.limit]
        let values = StatementArguments(arguments)
        return try await pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM deployment
                    WHERE (? IS NULL OR bundle = ?)
                        AND (? IS NULL OR number < ifnull((SELECT number FROM deployment WHERE id = ?), 0))
                        AND (? IS NULL OR EXISTS (SELECT 1 FROM deployment_device
                            WHERE deployment = deployment.number AND device = (SELECT number FROM device WHERE id = ?)))
                        AND state IN (\(Self.marks(states.count)))
                    ORDER BY number DESC LIMIT ?
                    """, arguments: values
            ).map { try Self.deployment($0, database) }
        }
    }

    package func deployment(_ id: String) async throws -> StoredDeployment? {
        try await pool.read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM deployment WHERE id = ?", arguments: [id])
                .map { try Self.deployment($0, database) }
        }
    }

    private static func deployment(_ row: Row, _ database: Database) throws -> StoredDeployment {
        StoredDeployment(
            id: row["id"], kind: .init(rawValue: row["kind"]) ?? .deploy, bundle: row["bundle"],
            version: row["version"], payload: JSONObject(stored: row["payload"]), expiresIn: row["expires_in"],
            limits: .init(parallel: row["max_parallel"], failures: row["max_failures"]), createdAt: row["created_at"],
            createdBy: row["created_by"], target: row["target"], state: .init(rawValue: row["state"]) ?? .halted,
            updatedAt: row["updated_at"], counts: try counts(row["number"], database))
    }

    private static func counts(_ deployment: Int64, _ database: Database) throws -> [DeploymentDevice.State: Int] {
        var counts: [DeploymentDevice.State: Int] = [:]
        for row in try Row.fetchAll(
            database.cachedStatement(
                sql: "SELECT state, count(*) AS n FROM deployment_device WHERE deployment = ? GROUP BY state"),
            arguments: [deployment])
        {
            guard let state = DeploymentDevice.State(rawValue: row["state"]) else { continue }
            counts[state] = row["n"]
        }
        return counts
    }

    package func devices(of deployment: String) async throws -> [DeploymentDevice] {
        try await pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT device.id, name, deployment_device.state, message, command_id, updated_at
                    FROM deployment_device JOIN device ON device.number = deployment_device.device
                    WHERE deployment = (SELECT number FROM deployment WHERE id = ?) ORDER BY position
                    """, arguments: [deployment]
            ).map { row in
                DeploymentDevice(
                    device: row["id"], name: row["name"], state: .init(rawValue: row["state"]) ?? .failed,
                    message: row["message"], command: row["command_id"], updatedAt: row["updated_at"])
            }
        }
    }

    package func activeDeployments() async throws -> [String] {
        try await pool.read { database in
            try String.fetchAll(
                database,
                sql: "SELECT id FROM deployment WHERE state IN ('running', 'paused', 'halted') ORDER BY number")
        }
    }

    package func add(_ deployment: StoredDeployment, for devices: [(id: String, command: String)]) async throws
        -> DeploymentStep
    {
        try await queue.run { database in
            if deployment.kind == .deploy, let version = deployment.version {
                // Within the transaction: it cannot be removed in between.
                guard try Self.bundle(deployment.bundle, version, database)?.version == version else {
                    throw StoreError(.notFound, "there is no bundle \(deployment.bundle) \(version): upload it first")
                }
            }
            try database.execute(
                sql: """
                    INSERT INTO deployment (id, kind, bundle, version, payload, expires_in, max_parallel, max_failures,
                        state, created_at, created_by, target, updated_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)
                    """,
                arguments: [
                    deployment.id, deployment.kind.rawValue, deployment.bundle, deployment.version,
                    deployment.payload.stored, deployment.expiresIn, deployment.limits.parallel,
                    deployment.limits.failures, deployment.createdAt, deployment.createdBy, deployment.target,
                    deployment.createdAt,
                ])
            let number = database.lastInsertedRowID
            try Self.addDevices(devices, to: number, at: deployment.createdAt, database)
            let superseded = try Self.supersede(by: number, deployment, database)
            var step = DeploymentStep(changed: [deployment.id])
            for other in superseded {
                step.add(try Self.handle(.looked, of: other, at: deployment.createdAt, database))
            }
            step.add(try Self.handle(.looked, of: number, at: deployment.createdAt, database))
            return step
        }
    }

    /// Their turns come in the order of their names.
    private static func addDevices(
        _ devices: [(id: String, command: String)], to deployment: Int64, at now: Int64, _ database: Database
    ) throws {
        let found = try devices.map { id, command in
            guard
                let row = try Row.fetchOne(
                    database.cachedStatement(sql: "SELECT number, name FROM device WHERE id = ?"), arguments: [id])
            else { throw StoreError(.notFound, "there is no device \(id)") }
            return (number: row["number"] as Int64, name: row["name"] as String, id: id, command: command)
        }
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO deployment_device (deployment, position, device, state, command_id, updated_at)
                VALUES (?, ?, ?, 'waiting', ?, ?)
                """)
        for (position, device) in found.sorted(by: { ($0.name, $0.id) < ($1.name, $1.id) }).enumerated() {
            try statement.execute(arguments: [deployment, position, device.number, device.command, now])
        }
    }

    /// Devices that have not begun with an earlier deployment of the bundle leave it out.
    /// - Returns: the deployments that they leave.
    private static func supersede(
        by number: Int64, _ deployment: StoredDeployment, _ database: Database
    ) throws -> [Int64] {
        let earlier = try Int64.fetchAll(
            database,
            sql: """
                SELECT number FROM deployment
                WHERE state IN ('running', 'paused', 'halted') AND bundle = ? AND number < ? ORDER BY number
                """, arguments: [deployment.bundle, number])
        return try earlier.filter { earlier in
            try takeBack(
                from: earlier, as: .superseded, "by the deployment \(deployment.id)", at: deployment.createdAt,
                database,
                only: "device IN (SELECT device FROM deployment_device WHERE deployment = \(number))") > 0
        }
    }

    /// Ends a deployment on devices that have not begun. Who has the command already says so, and that counts.
    /// - Parameters:
    ///   - states: of which devices, and `condition`: for which of them; as SQL.
    /// - Returns: on how many.
    private static func takeBack(
        from deployment: Int64, as state: DeploymentDevice.State, _ message: String, at now: Int64,
        _ database: Database, in states: String = "'waiting', 'sent'", only condition: String = "1"
    ) throws -> Int {
        let numbers = try Row.fetchAll(
            database,
            sql: """
                SELECT device, command FROM deployment_device
                WHERE deployment = ? AND state IN (\(states)) AND \(condition)
                """, arguments: [deployment]
        ).map { (device: $0["device"] as Int64, command: $0["command"] as Int64?) }
        for (device, command) in numbers {
            if let command {
                try database.cachedStatement(
                    sql: """
                        UPDATE assignment SET state = 'cancelled', updated_at = ?
                        WHERE command = ? AND device = ? AND state = 'queued'
                        """
                ).execute(arguments: [now, command, device])
            }
            // After the command, whose change is the device's state as well.
            try database.cachedStatement(
                sql: """
                    UPDATE deployment_device SET state = ?, message = ?, updated_at = ?
                    WHERE deployment = ? AND device = ?
                    """
            ).execute(arguments: [state.rawValue, message, now, deployment, device])
        }
        return numbers.count
    }

    package func handle(_ event: Rollout.Event, of deployment: String, at now: Int64) async throws -> DeploymentStep {
        try await queue.run { database in
            guard
                let number = try Int64.fetchOne(
                    database, sql: "SELECT number FROM deployment WHERE id = ?", arguments: [deployment])
            else { throw StoreError(.notFound, "there is no deployment \(deployment)") }
            return try Self.handle(event, of: number, at: now, database)
        }
    }

    private static func handle(_ event: Rollout.Event, of number: Int64, at now: Int64, _ database: Database) throws
        -> DeploymentStep
    {
        guard
            let row = try Row.fetchOne(
                database.cachedStatement(sql: "SELECT * FROM deployment WHERE number = ?"), arguments: [number])
        else { return DeploymentStep() }
        let deployment = try deployment(row, database)
        let before = Rollout(limits: deployment.limits, state: deployment.state, forgiven: row["forgiven"])
        var rollout = before
        var step = DeploymentStep()
        var event = event
        // Who was revoked never comes for its command.
        let revoked = try takeBack(
            from: number, as: .cancelled, "the device was revoked", at: now, database,
            in: "'sent'",
            only: """
                EXISTS (SELECT 1 FROM device WHERE number = deployment_device.device AND device.state != 'enrolled')
                """)
        if revoked > 0 { step.changed.insert(deployment.id) }
        // Again for as long as somebody whose turn it was could not have it.
        while true {
            let actions = rollout.handle(event, Rollout.Counts(try counts(number, database)))
            guard !actions.isEmpty else { break }
            for action in actions {
                switch action {
                case .send(let count):
                    step.sent += try send(deployment, number, count: count, at: now, database)
                case .withdraw:
                    _ = try takeBack(from: number, as: .cancelled, "", at: now, database)
                case .refuse(let why):
                    throw StoreError(.conflict, "the deployment \(deployment.id) cannot be changed: \(why)")
                }
            }
            step.changed.insert(deployment.id)
            event = .looked
        }
        if rollout != before {
            try database.execute(
                sql: "UPDATE deployment SET state = ?, forgiven = ?, updated_at = ? WHERE number = ?",
                arguments: [rollout.state.rawValue, rollout.forgiven, now, number])
            step.changed.insert(deployment.id)
        }
        return step
    }

    /// Makes the commands of the next ones. Each has its id from the beginning, so none is ever made twice.
    /// - Returns: the devices that have one now.
    private static func send(
        _ deployment: StoredDeployment, _ number: Int64, count: Int, at now: Int64, _ database: Database
    ) throws -> [Int64] {
        let next = try Row.fetchAll(
            database,
            sql: """
                SELECT device.number, device.id, device.state, command_id FROM deployment_device
                JOIN device ON device.number = deployment_device.device
                WHERE deployment = ? AND deployment_device.state = 'waiting' ORDER BY position LIMIT ?
                """, arguments: [number, count])
        var sent: [Int64] = []
        for row in next {
            let (device, id, state): (Int64, String, String) = (row["number"], row["id"], row["state"])
            guard state == DeviceState.enrolled.rawValue else {
                try database.execute(
                    sql: """
                        UPDATE deployment_device SET state = 'cancelled', message = ?, updated_at = ?
                        WHERE deployment = ? AND device = ?
                        """, arguments: ["the device is \(state)", now, number, device])
                continue
            }
            let command = try insert(
                StoredCommand(
                    id: row["command_id"], kind: deployment.kind.command, payload: deployment.payload, createdAt: now,
                    expiresAt: now + Int64(deployment.expiresIn * 1000), createdBy: deployment.createdBy, target: id),
                database)
            try assign(command, to: id, at: now, database)
            try database.execute(
                sql: """
                    UPDATE deployment_device SET state = 'sent', command = ?, updated_at = ?
                    WHERE deployment = ? AND device = ?
                    """, arguments: [command, now, number, device])
            sent.append(device)
        }
        return sent
    }
}

extension Rollout.Counts {
    fileprivate init(_ counts: [DeploymentDevice.State: Int]) {
        var (waiting, underWay, failed) = (0, 0, 0)
        for (state, count) in counts {
            switch state {
            case .waiting: waiting += count
            case .sent, .running: underWay += count
            case .failed, .rejected: failed += count
            // None of these says anything of the version.
            case .committed, .expired, .superseded, .cancelled: break
            }
        }
        self.init(waiting: waiting, underWay: underWay, failed: failed)
    }
}
