import Foundation
import GRDB

extension SQLiteStore {
    package func add(_ token: StoredEnrolmentToken) async throws {
        try await queue.run { database in
            try database.execute(
                sql: "INSERT INTO enrolment_token VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    token.id, Data(token.hash), token.createdAt, token.expiresAt, token.uses, token.used,
                    token.needsApproval, token.revokedAt,
                ])
        }
    }

    package func enrolmentTokens() async throws -> [StoredEnrolmentToken] {
        try await pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM enrolment_token ORDER BY created_at, id").map { row in
                StoredEnrolmentToken(
                    id: row["id"], hash: Array(row["hash"] as Data), createdAt: row["created_at"],
                    expiresAt: row["expires_at"], uses: row["uses"], used: row["used"],
                    needsApproval: row["needs_approval"], revokedAt: row["revoked_at"])
            }
        }
    }

    package func add(_ token: StoredOperatorToken) async throws {
        try await queue.run { database in
            try database.execute(
                sql: "INSERT INTO operator_token VALUES (?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    token.id, token.name, token.role.rawValue, Data(token.hash), token.createdAt, token.expiresAt,
                    token.revokedAt,
                ])
        }
    }

    package func operatorTokens() async throws -> [StoredOperatorToken] {
        try await pool.read { database in
            try Row.fetchAll(database, sql: "SELECT * FROM operator_token ORDER BY created_at, id").map(
                Self.operatorToken)
        }
    }

    package func operatorToken(hash: [UInt8]) async throws -> StoredOperatorToken? {
        try await pool.read { database in
            try Row.fetchOne(
                database, sql: "SELECT * FROM operator_token WHERE hash = ?", arguments: [Data(hash)]
            ).map(Self.operatorToken)
        }
    }

    private static func operatorToken(_ row: Row) -> StoredOperatorToken {
        StoredOperatorToken(
            id: row["id"], name: row["name"], role: OperatorRole(rawValue: row["role"]) ?? .viewer,
            hash: Array(row["hash"] as Data), createdAt: row["created_at"], expiresAt: row["expires_at"],
            revokedAt: row["revoked_at"])
    }

    package func revokeToken(_ id: String, at now: Int64) async throws {
        try await queue.run { database in
            var changed = 0
            for table in ["enrolment_token", "operator_token"] {
                try database.execute(
                    sql: "UPDATE \(table) SET revoked_at = ifnull(revoked_at, ?) WHERE id = ?", arguments: [now, id])
                changed += database.changesCount
            }
            guard changed > 0 else { throw StoreError(.notFound, "there is no token \(id)") }
        }
    }

    package func note(_ entry: AuditEntry) async throws {
        try await queue.run { database in
            try database.execute(
                sql: "INSERT INTO audit (time, actor, action, target, detail) VALUES (?, ?, ?, ?, ?)",
                arguments: [entry.time, entry.actor, entry.action, entry.target, entry.detail])
        }
    }

    package func audit(limit: Int, before: Int64?) async throws -> [AuditEntry] {
        try await pool.read { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?",
                arguments: [before ?? .max, limit]
            ).map { row in
                AuditEntry(
                    id: row["id"], time: row["time"], actor: row["actor"], action: row["action"], target: row["target"],
                    detail: row["detail"])
            }
        }
    }
}
