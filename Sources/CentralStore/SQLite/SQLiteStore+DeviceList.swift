import ControlProtocol
import FleetAPI
import Foundation
import GRDB

extension SQLiteStore {
    package func devices(_ filter: DeviceFilter) async throws -> [Device] {
        var conditions = ["1"]
        var arguments: StatementArguments = []
        func add(_ condition: String, _ values: [(any DatabaseValueConvertible)?]) {
            conditions.append(condition)
            arguments += StatementArguments(values)
        }
        if let states = filter.states {
            add("state IN (\(Self.marks(states.count)))", states.map(\.rawValue))
        }
        if let ids = filter.ids { add("id IN (\(Self.marks(ids.count)))", ids) }
        if let name = filter.name { add("name GLOB ?", [name.replacing("[", with: "[[]")]) }
        if let isForked = filter.isForked { add("forked = ?", [isForked]) }
        if let time = filter.seenAfter { add("\(Self.lastSeen) >= ?", [time]) }
        if let time = filter.seenBefore { add("ifnull(\(Self.lastSeen) < ?, 1)", [time]) }
        if let id = filter.after { add("id > ?", [id]) }
        for label in filter.labels {
            let value = "(SELECT value FROM json_each(ifnull(labels_set, labels)) WHERE key = ?)"
            switch label.relation {
            case .equals(let text): add("\(value) = ?", [label.key, text])
            case .differs(let text): add("\(value) IS NOT ?", [label.key, text])
            case .exists: add("\(value) IS NOT NULL", [label.key])
            case .isMissing: add("\(value) IS NULL", [label.key])
            }
        }
        arguments += [filter.limit]
        let (condition, values) = (conditions.joined(separator: " AND "), arguments)
        return try await pool.read { database in
            try Self.devices(database, where: condition + " ORDER BY id LIMIT ?", values)
        }
    }

    private static let lastSeen = "(SELECT last_seen FROM presence WHERE presence.device = device.number)"

    static func devices(_ database: Database, where condition: String, _ arguments: StatementArguments) throws
        -> [Device]
    {
        let sql = "SELECT *, \(lastSeen) AS last_seen FROM device WHERE \(condition)"
        return try Row.fetchAll(database, sql: sql, arguments: arguments).map { row in
            Device(
                identity: identity(row), name: row["name"], enrolledAt: row["enrolled_at"], lastSeen: row["last_seen"],
                labels: JSONObject(stored: row["labels_set"] ?? row["labels"]), facts: JSONObject(stored: row["facts"]),
                version: row["version"], boot: row["boot"], up: row["up"], skew: row["skew"], isForked: row["forked"],
                state: JSONObject(stored: row["report"]), spools: JSONObject(stored: row["spools"]))
        }
    }

    static func identity(_ row: Row) -> DeviceIdentity {
        DeviceIdentity(
            number: row["number"], id: row["id"], publicKey: Array(row["public_key"] as Data),
            state: DeviceState(rawValue: row["state"]) ?? .revoked)
    }

    static func marks(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ",") }
}
