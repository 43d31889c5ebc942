import ControlProtocol
import GRDB

extension SQLiteStore {
    package func events(_ filter: EventFilter) async throws -> [StoredEvent] {
        try await pool.read { database in
            let (condition, arguments) = Self.condition(filter, table: "event", hasKind: true)
            return try Row.fetchAll(
                database,
                sql: """
                    SELECT event.*, device.id AS device_id FROM event JOIN device ON device.number = event.device
                    WHERE \(condition) ORDER BY event.id DESC LIMIT ?
                    """, arguments: arguments
            ).map { row in
                StoredEvent(
                    id: row["id"], device: row["device_id"], time: row["time"], receivedAt: row["received_at"],
                    kind: row["kind"], worker: row["worker"],
                    isRepeat: (row["flags"] as Int64) & ReadingFlags.isRepeat != 0,
                    body: JSONObject(stored: row["body"]))
            }
        }
    }

    package func incidents(_ filter: EventFilter) async throws -> [StoredIncident] {
        try await pool.read { database in
            let (condition, arguments) = Self.condition(filter, table: "incident", hasKind: false)
            return try Row.fetchAll(
                database,
                sql: """
                    SELECT incident.*, device.id AS device_id FROM incident JOIN device ON device.number = incident.device
                    WHERE \(condition) ORDER BY incident.id DESC LIMIT ?
                    """, arguments: arguments
            ).map { row in
                StoredIncident(
                    id: row["id"], device: row["device_id"], time: row["time"], receivedAt: row["received_at"],
                    worker: row["worker"], body: JSONObject(stored: row["body"]))
            }
        }
    }

    private static func condition(_ filter: EventFilter, table: String, hasKind: Bool)
        -> (String, StatementArguments)
    {
        var conditions = ["1"]
        var arguments: StatementArguments = []
        func add(_ condition: String, _ value: (any DatabaseValueConvertible)?) {
            guard let value else { return }
            conditions.append(condition)
            arguments += [value]
        }
        add("\(table).device = (SELECT number FROM device WHERE id = ?)", filter.device)
        if hasKind { add("\(table).kind = ?", filter.kind) }
        add("\(table).worker = ?", filter.worker)
        add("\(table).time >= ?", filter.from)
        add("\(table).time < ?", filter.to)
        add("\(table).id < ?", filter.before)
        arguments += [filter.limit]
        return (conditions.joined(separator: " AND "), arguments)
    }
}
