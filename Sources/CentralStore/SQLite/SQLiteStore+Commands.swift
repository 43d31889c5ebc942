import ControlProtocol
package import FleetAPI
import Foundation
import GRDB

extension SQLiteStore {
    package func add(_ command: StoredCommand, for devices: [String]) async throws -> [String: UInt64] {
        try await queue.run { database in
            let number = try Self.insert(command, database)
            var sequences: [String: UInt64] = [:]
            for id in devices { sequences[id] = try Self.assign(number, to: id, at: command.createdAt, database) }
            return sequences
        }
    }

    /// - Returns: its number.
    static func insert(_ command: StoredCommand, _ database: Database) throws -> Int64 {
        try database.cachedStatement(
            sql: """
                INSERT INTO command (id, kind, payload, created_at, expires_at, created_by, target)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            command.id, command.kind, command.payload.stored, command.createdAt, command.expiresAt,
            command.createdBy, command.target,
        ])
        return database.lastInsertedRowID
    }

    /// - Returns: the sequence that the device gets it with.
    @discardableResult
    static func assign(_ command: Int64, to id: String, at now: Int64, _ database: Database) throws -> UInt64 {
        // One higher than any before, and than what the device has seen of a central that was restored since.
        guard
            let row = try Row.fetchOne(
                database.cachedStatement(
                    sql: """
                        SELECT number, max(sequence_floor,
                            ifnull((SELECT max(sequence) FROM assignment WHERE device = number), 0)) + 1 AS next
                        FROM device WHERE id = ?
                        """), arguments: [id])
        else { throw StoreError(.notFound, "there is no device \(id)") }
        let next: Int64 = row["next"]
        try database.cachedStatement(
            sql: "INSERT INTO assignment (device, sequence, command, state, updated_at) VALUES (?, ?, ?, 'queued', ?)"
        ).execute(arguments: [row["number"] as Int64, next, command, now])
        return UInt64(clamping: next)
    }

    package func commands(_ filter: CommandFilter) async throws -> [StoredCommand] {
        try await pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM command
                    WHERE (?1 IS NULL OR kind = ?1)
                        AND (?2 IS NULL OR number < ifnull((SELECT number FROM command WHERE id = ?2), 0))
                        AND (?3 IS NULL OR EXISTS (SELECT 1 FROM assignment
                            WHERE command = command.number AND device = (SELECT number FROM device WHERE id = ?3)))
                    ORDER BY number DESC LIMIT ?4
                    """, arguments: [filter.kind, filter.before, filter.device, filter.limit]
            ).map { try Self.command($0, database) }
        }
    }

    package func command(_ id: String) async throws -> StoredCommand? {
        try await pool.read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM command WHERE id = ?", arguments: [id])
                .map { try Self.command($0, database) }
        }
    }

    private static func command(_ row: Row, _ database: Database) throws -> StoredCommand {
        var counts: [CommandState: Int] = [:]
        for row in try Row.fetchAll(
            database.cachedStatement(
                sql: "SELECT state, count(*) AS n FROM assignment WHERE command = ? GROUP BY state"),
            arguments: [row["number"] as Int64])
        {
            guard let state = CommandState(rawValue: row["state"]) else { continue }
            counts[state] = row["n"]
        }
        return StoredCommand(
            id: row["id"], kind: row["kind"], payload: JSONObject(stored: row["payload"]),
            createdAt: row["created_at"], expiresAt: row["expires_at"], createdBy: row["created_by"],
            target: row["target"], counts: counts)
    }

    package func progress(of command: String) async throws -> [CommandProgress] {
        try await pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT assignment.*, device.id AS device_id, attachment.command IS NOT NULL AS attached FROM assignment
                    JOIN device ON device.number = assignment.device
                    LEFT JOIN attachment USING (command, device)
                    WHERE assignment.command = (SELECT number FROM command WHERE id = ?) ORDER BY device.id
                    """, arguments: [command]
            ).map { row in
                CommandProgress(
                    device: row["device_id"], sequence: UInt64(clamping: row["sequence"] as Int64),
                    state: CommandState(rawValue: row["state"]) ?? .queued, message: row["message"],
                    result: (try? JSONValue.parse(Array((row["result"] as String).utf8), limits: .reply)) ?? .null,
                    updatedAt: row["updated_at"], hasAttachment: row["attached"])
            }
        }
    }

    package func pending(for device: DeviceIdentity, after: UInt64, at now: Int64, limit: Int) async throws
        -> [CommandOrder]
    {
        let after = Int64(clamping: min(after, 1 << 53))
        let (orders, highest) = try await pool.read { database in
            let orders = try Row.fetchAll(
                database.cachedStatement(
                    sql: """
                        SELECT command.id, sequence, kind, payload, expires_at FROM assignment
                        JOIN command ON command.number = assignment.command
                        WHERE device = ? AND sequence > ? AND state = 'queued' AND (expires_at IS NULL OR expires_at > ?)
                        ORDER BY sequence LIMIT ?
                        """), arguments: [device.number, after, now, limit]
            ).map { row in
                CommandOrder(
                    id: row["id"], sequence: UInt64(clamping: row["sequence"] as Int64), kind: row["kind"],
                    payload: JSONObject(stored: row["payload"]),
                    expiresIn: (row["expires_at"] as Int64?).map { Double($0 - now) / 1000 })
            }
            let highest = try Int64.fetchOne(
                database.cachedStatement(
                    sql: """
                        SELECT max(sequence_floor, ifnull((SELECT max(sequence) FROM assignment WHERE device = number), 0))
                        FROM device WHERE number = ?
                        """), arguments: [device.number])
            return (orders, highest ?? 0)
        }
        guard after > highest else { return orders }
        try await raiseFloor(of: device, to: after)
        return try await pending(for: device, after: UInt64(after), at: now, limit: limit)
    }

    /// The device has seen more than this database knows of: it comes from an old backup. What is queued gets new numbers,
    /// else the device would find it superseded; what it has done already it knows by the id.
    private func raiseFloor(of device: DeviceIdentity, to floor: Int64) async throws {
        try await queue.run { database in
            try database.execute(
                sql: "UPDATE device SET sequence_floor = max(sequence_floor, ?) WHERE number = ?",
                arguments: [floor, device.number])
            let queued = try Int64.fetchAll(
                database,
                sql:
                    "SELECT sequence FROM assignment WHERE device = ? AND state = 'queued' AND sequence <= ? ORDER BY 1",
                arguments: [device.number, floor])
            for (offset, sequence) in queued.enumerated() {
                try database.execute(
                    sql: "UPDATE assignment SET sequence = ? WHERE device = ? AND sequence = ?",
                    arguments: [floor + 1 + Int64(offset), device.number, sequence])
            }
        }
    }

    package func cancel(_ command: String, at now: Int64) async throws -> Int {
        try await queue.run { database in
            guard
                let number = try Int64.fetchOne(
                    database, sql: "SELECT number FROM command WHERE id = ?", arguments: [command])
            else { throw StoreError(.notFound, "there is no command \(command)") }
            try database.execute(
                sql: "UPDATE assignment SET state = 'cancelled', updated_at = ? WHERE command = ? AND state = 'queued'",
                arguments: [now, number])
            return database.changesCount
        }
    }

    package func attach(_ bytes: [UInt8], to command: String, of device: DeviceIdentity) async throws {
        try await queue.run { database in
            guard
                let number = try Int64.fetchOne(
                    database,
                    sql: """
                        SELECT command FROM assignment
                        WHERE device = ? AND command = (SELECT number FROM command WHERE id = ?)
                        """, arguments: [device.number, command])
            else { throw StoreError(.notFound, "this device has no command \(command)") }
            try database.execute(
                sql: "INSERT OR REPLACE INTO attachment VALUES (?, ?, ?)",
                arguments: [number, device.number, Data(bytes)])
        }
    }

    package func attachment(of command: String, from device: String) async throws -> [UInt8]? {
        try await pool.read { database in
            try Data.fetchOne(
                database,
                sql: """
                    SELECT bytes FROM attachment WHERE command = (SELECT number FROM command WHERE id = ?)
                        AND device = (SELECT number FROM device WHERE id = ?)
                    """, arguments: [command, device]
            ).map { Array($0) }
        }
    }

    package func expireCommands(before time: Int64) async throws -> Int {
        try await queue.run { database in
            try database.execute(
                sql: """
                    UPDATE assignment SET state = 'expired', updated_at = ?1 WHERE state = 'queued'
                        AND command IN (SELECT number FROM command WHERE expires_at < ?1)
                    """, arguments: [time])
            return database.changesCount
        }
    }
}
