import ControlProtocol
package import FleetAPI
import Foundation
import GRDB

extension SQLiteStore {
    package func enrol(_ enrolment: Enrolment, at now: Int64) async throws -> Device {
        try await queue.run { database in
            let known = try Self.devices(database, where: "public_key = ?", [Data(enrolment.publicKey)]).first
            // A lost answer costs nothing: the same key gets the same again.
            if let known, known.identity.state != .revoked { return known }
            let needsApproval = try Self.use(enrolment, at: now, database)
            let state = needsApproval ? DeviceState.pending : .enrolled
            if let known {
                try database.execute(
                    sql: "UPDATE device SET state = ?, facts = ? WHERE number = ?",
                    arguments: [state.rawValue, enrolment.facts.stored, known.identity.number])
            } else {
                try database.execute(
                    sql: """
                        INSERT INTO device (id, public_key, state, name, enrolled_at, facts) VALUES (?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        enrolment.id, Data(enrolment.publicKey), state.rawValue, enrolment.name, now,
                        enrolment.facts.stored,
                    ])
            }
            guard let device = try Self.devices(database, where: "public_key = ?", [Data(enrolment.publicKey)]).first
            else { throw StoreError(.notFound, "the device that was just stored is not there") }
            return device
        }
    }

    /// Counts a use of the token.
    /// - Returns: whether an operator has to approve.
    private static func use(_ enrolment: Enrolment, at now: Int64, _ database: Database) throws -> Bool {
        func refused(_ why: String) -> StoreError { StoreError(.enrolmentRefused, why) }
        guard
            let row = try Row.fetchOne(
                database, sql: "SELECT * FROM enrolment_token WHERE hash = ?", arguments: [Data(enrolment.secretHash)])
        else { throw refused("the secret is unknown: make a new token (holdfast-central token create --enrol)") }
        guard row["revoked_at"] as Int64? == nil else { throw refused("the token was revoked") }
        guard (row["expires_at"] as Int64) > now else {
            throw refused("the token has expired: make a new one (holdfast-central token create --enrol)")
        }
        let id: String = row["id"]
        let uses: Int = row["uses"]
        guard (row["used"] as Int) < uses else {
            throw refused("the token is used up: it was for \(uses); make a new one, or one with --uses")
        }
        do {
            try database.execute(
                sql: "INSERT INTO enrolment_use VALUES (?, ?, ?)", arguments: [id, Data(enrolment.publicKey), now])
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
            throw refused("the device was revoked after it had come with this token: it takes a new one")
        }
        try database.execute(sql: "UPDATE enrolment_token SET used = used + 1 WHERE id = ?", arguments: [id])
        return row["needs_approval"]
    }

    package func identities() async throws -> [DeviceIdentity] {
        try await pool.read { database in
            try Row.fetchAll(database, sql: "SELECT number, id, public_key, state FROM device").map {
                Self.identity($0)
            }
        }
    }

    package func device(_ id: String) async throws -> Device? {
        try await pool.read { try Self.devices($0, where: "id = ?", [id]).first }
    }

    package func countDevices() async throws -> [DeviceState: Int] {
        try await pool.read { database in
            var counts: [DeviceState: Int] = [:]
            for row in try Row.fetchAll(database, sql: "SELECT state, count(*) AS n FROM device GROUP BY state") {
                guard let state = DeviceState(rawValue: row["state"]) else { continue }
                counts[state] = row["n"]
            }
            return counts
        }
    }

    package func setKey(_ key: [UInt8], of device: String) async throws {
        try await queue.run { database in
            do {
                try database.execute(
                    sql: "UPDATE device SET public_key = ? WHERE id = ?", arguments: [Data(key), device])
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                throw StoreError(.conflict, "another device has this key: make a new one")
            }
            try Self.requireChange(database, "device", device)
        }
    }

    package func setState(_ state: DeviceState, of device: String) async throws {
        try await queue.run { database in
            try database.execute(sql: "UPDATE device SET state = ? WHERE id = ?", arguments: [state.rawValue, device])
            try Self.requireChange(database, "device", device)
        }
    }

    package func update(_ device: String, _ change: DeviceChange) async throws -> Device {
        try await queue.run { database in
            if let name = change.name {
                try database.execute(sql: "UPDATE device SET name = ? WHERE id = ?", arguments: [name, device])
            }
            if let labels = change.labels {
                try database.execute(
                    sql: "UPDATE device SET labels_set = ? WHERE id = ?", arguments: [labels.stored, device])
            }
            if change.clearsFork {
                try database.execute(sql: "UPDATE device SET forked = 0 WHERE id = ?", arguments: [device])
            }
            guard let device = try Self.devices(database, where: "id = ?", [device]).first else {
                throw StoreError(.notFound, "there is no device \(device)")
            }
            return device
        }
    }

    package func delete(_ device: String) async throws {
        let names = self.names
        try await queue.run { database in
            guard
                let number = try Int64.fetchOne(
                    database, sql: "SELECT number FROM device WHERE id = ?", arguments: [device])
            else { throw StoreError(.notFound, "there is no device \(device)") }
            for statement in Self.deletions { try database.execute(sql: statement, arguments: [number]) }
            names.forget()
        }
    }

    private static let deletions = [
        "DELETE FROM reading WHERE series IN (SELECT number FROM series WHERE device = ?)",
        "DELETE FROM origin WHERE spool IN (SELECT number FROM spool WHERE device = ?)",
        "DELETE FROM series WHERE device = ?", "DELETE FROM spool WHERE device = ?", "DELETE FROM gap WHERE device = ?",
        "DELETE FROM event WHERE device = ?", "DELETE FROM incident WHERE device = ?",
        "DELETE FROM attachment WHERE device = ?", "DELETE FROM assignment WHERE device = ?",
        "DELETE FROM deployment_device WHERE device = ?",
        "DELETE FROM enrolment_use WHERE public_key = (SELECT public_key FROM device WHERE number = ?)",
        "DELETE FROM presence WHERE device = ?", "DELETE FROM device WHERE number = ?",
    ]

    package func record(_ heartbeat: HeartbeatRequest, of device: DeviceIdentity, at now: Int64) async throws
        -> HeartbeatOutcome
    {
        try await queue.run { database in
            guard
                let before = try Row.fetchOne(
                    database, sql: "SELECT forked, labels_set FROM device WHERE number = ?", arguments: [device.number])
            else { throw StoreError(.notFound, "there is no device \(device.id)") }
            try database.cachedStatement(
                sql: """
                    UPDATE device SET labels = ?, facts = ?, version = ?, boot = ?, up = ?, skew = ?,
                        forked = forked OR ?, report = ?, spools = ?
                    WHERE number = ?
                    """
            ).execute(arguments: [
                heartbeat.labels.stored, heartbeat.facts.stored, heartbeat.version, heartbeat.boot, heartbeat.up,
                now &- heartbeat.now, heartbeat.isForked, heartbeat.state.stored, heartbeat.spools.stored,
                device.number,
            ])
            try Self.note(database, device.number, seen: now)
            let wanted = (before["labels_set"] as String?).map { JSONObject(stored: $0) }
            let sequence = try Int64.fetchOne(
                database,
                sql: """
                    SELECT max(sequence) FROM assignment JOIN command ON command.number = assignment.command
                    WHERE device = ? AND state = 'queued' AND (expires_at IS NULL OR expires_at > ?)
                    """, arguments: [device.number, now])
            return HeartbeatOutcome(
                labels: wanted.flatMap { $0.sorted == heartbeat.labels.sorted ? nil : $0 },
                commandSequence: UInt64(clamping: sequence ?? 0),
                isNewlyForked: heartbeat.isForked && !(before["forked"] as Bool))
        }
    }

    package func seen(_ times: [Int64: Int64]) async throws {
        let times = times.sorted { $0.key < $1.key }
        for start in stride(from: 0, to: times.count, by: Self.seenAtOnce) {
            // In pieces, between which others have their turn.
            let piece = times[start..<min(times.count, start + Self.seenAtOnce)]
            try await queue.run { database in
                for (device, time) in piece { try Self.note(database, device, seen: time) }
            }
        }
    }

    private static let seenAtOnce = 500

    private static func note(_ database: Database, _ device: Int64, seen time: Int64) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO presence SELECT number, ? FROM device WHERE number = ?
                ON CONFLICT DO UPDATE SET last_seen = max(last_seen, excluded.last_seen)
                """
        ).execute(arguments: [time, device])
    }

    static func requireChange(_ database: Database, _ what: String, _ id: String) throws {
        guard database.changesCount > 0 else { throw StoreError(.notFound, "there is no \(what) \(id)") }
    }
}

extension JSONObject {
    /// Labels have no order.
    fileprivate var sorted: [JSONObject.Member] { members.sorted { $0.key < $1.key } }
}
