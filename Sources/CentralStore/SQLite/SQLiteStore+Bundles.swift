import ControlProtocol
import Foundation
import GRDB

extension SQLiteStore {
    package func begin(_ upload: StoredUpload, limit: Int) async throws {
        try await queue.run { database in
            let count = try Int.fetchOne(
                database, sql: "SELECT count(*) FROM upload WHERE sha256 != ?", arguments: [upload.sha256])
            guard let count, count < limit else {
                throw StoreError(
                    .tooMany, "\(limit) uploads are unfinished already: finish them, or wait until they are forgotten")
            }
            try database.execute(
                sql: "INSERT OR REPLACE INTO upload VALUES (?, ?, ?, ?, ?)",
                arguments: [upload.sha256, upload.file, upload.size, upload.startedBy, upload.startedAt])
        }
    }

    package func upload(_ sha256: String) async throws -> StoredUpload? {
        try await pool.read { try Self.upload(sha256, $0) }
    }

    private static func upload(_ sha256: String, _ database: Database) throws -> StoredUpload? {
        try Row.fetchOne(database, sql: "SELECT * FROM upload WHERE sha256 = ?", arguments: [sha256]).map(upload)
    }

    package func uploads() async throws -> [StoredUpload] {
        try await pool.read { try Row.fetchAll($0, sql: "SELECT * FROM upload ORDER BY started_at").map(Self.upload) }
    }

    private static func upload(_ row: Row) -> StoredUpload {
        StoredUpload(
            sha256: row["sha256"], file: row["file"], size: row["size"], startedBy: row["started_by"],
            startedAt: row["started_at"])
    }

    package func endUpload(_ sha256: String) async throws {
        try await queue.run { database in
            try database.execute(sql: "DELETE FROM upload WHERE sha256 = ?", arguments: [sha256])
        }
    }

    package func add(_ bundle: StoredBundle) async throws {
        try await queue.run { database in
            do {
                try database.execute(
                    sql: """
                        INSERT INTO bundle (name, version, file, size, sha256, description, uploaded_by, uploaded_at)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        bundle.name, bundle.version, bundle.file, bundle.size, bundle.sha256,
                        bundle.description.stored, bundle.uploadedBy, bundle.uploadedAt,
                    ])
            } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                throw StoreError(
                    .conflict,
                    "\(bundle.name) \(bundle.version) is there in another archive: remove that one, or keep it")
            }
            try database.execute(sql: "DELETE FROM upload WHERE sha256 = ?", arguments: [bundle.sha256])
        }
    }

    package func bundle(_ name: String, _ version: String) async throws -> StoredBundle? {
        try await pool.read { try Self.bundle(name, version, $0) }
    }

    static func bundle(_ name: String, _ version: String, _ database: Database) throws -> StoredBundle? {
        let found = try Row.fetchAll(
            database,
            sql: """
                SELECT * FROM bundle WHERE name = ?1 AND (version = ?2 OR substr(version, 1, length(?2) + 1) = ?2 || '@')
                ORDER BY number DESC LIMIT 3
                """, arguments: [name, version]
        ).map(bundle)
        guard found.count > 1 else { return found.first }
        let versions = found.map(\.version).joined(separator: ", ")
        throw StoreError(.conflict, "\(name) \(version) is there in several builds: say which, such as \(versions)")
    }

    package func bundle(content sha256: String) async throws -> StoredBundle? {
        try await pool.read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM bundle WHERE sha256 = ?", arguments: [sha256])
                .map(Self.bundle)
        }
    }

    package func bundles(_ filter: BundleFilter) async throws -> [StoredBundle] {
        try await pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT * FROM bundle WHERE (?1 IS NULL OR name = ?1)
                        AND (?2 IS NULL OR number < ifnull((SELECT number FROM bundle WHERE sha256 = ?2), 0))
                    ORDER BY number DESC LIMIT ?3
                    """, arguments: [filter.name, filter.before, filter.limit]
            ).map(Self.bundle)
        }
    }

    private static func bundle(_ row: Row) -> StoredBundle {
        StoredBundle(
            name: row["name"], version: row["version"], file: row["file"], size: row["size"], sha256: row["sha256"],
            description: JSONObject(stored: row["description"]), uploadedBy: row["uploaded_by"],
            uploadedAt: row["uploaded_at"])
    }

    package func contents() async throws -> [String] {
        try await pool.read {
            try String.fetchAll($0, sql: "SELECT sha256 FROM bundle UNION SELECT sha256 FROM upload")
        }
    }

    package func removeBundle(content sha256: String) async throws {
        try await queue.run { database in
            guard
                let bundle = try Row.fetchOne(
                    database, sql: "SELECT * FROM bundle WHERE sha256 = ?", arguments: [sha256]
                ).map(Self.bundle)
            else { throw StoreError(.notFound, "there is no bundle with the hash \(sha256)") }
            let user = try String.fetchOne(
                database,
                sql: """
                    SELECT id FROM deployment WHERE kind = 'deploy' AND bundle = ? AND version = ?
                        AND (state IN ('running', 'paused', 'halted') OR EXISTS (SELECT 1 FROM deployment_device
                            WHERE deployment = deployment.number AND state IN ('sent', 'running')))
                    LIMIT 1
                    """, arguments: [bundle.name, bundle.version])
            if let user {
                throw StoreError(
                    .conflict, "the deployment \(user) still needs \(bundle.name) \(bundle.version): cancel it first")
            }
            try database.execute(sql: "DELETE FROM bundle WHERE sha256 = ?", arguments: [sha256])
        }
    }

    // MARK: Metadata

    package func metadata(_ name: String) async throws -> StoredMetadata? {
        try await pool.read { try Self.metadata(name, $0) }
    }

    private static func metadata(_ name: String, _ database: Database) throws -> StoredMetadata? {
        try Row.fetchOne(database, sql: "SELECT * FROM metadata WHERE name = ?", arguments: [name]).map { row in
            StoredMetadata(
                name: row["name"], version: row["version"], bytes: Array(row["bytes"] as Data), sha256: row["sha256"],
                contentSHA256: row["content_sha256"], uploadedBy: row["uploaded_by"], uploadedAt: row["uploaded_at"])
        }
    }

    package func put(_ metadata: StoredMetadata) async throws {
        try await queue.run { database in
            if let there = try Self.metadata(metadata.name, database) {
                guard metadata.version >= there.version else {
                    throw StoreError(
                        .conflict,
                        "\(metadata.name) is there in version \(there.version), and this is \(metadata.version): devices refuse to go back"
                    )
                }
                guard metadata.version > there.version || metadata.contentSHA256 == there.contentSHA256 else {
                    throw StoreError(
                        .conflict,
                        "version \(there.version) of \(metadata.name) is there with other content: sign it anew with a higher version"
                    )
                }
            }
            try database.execute(
                sql: "INSERT OR REPLACE INTO metadata VALUES (?, ?, ?, ?, ?, ?, ?)",
                arguments: [
                    metadata.name, metadata.version, Data(metadata.bytes), metadata.sha256, metadata.contentSHA256,
                    metadata.uploadedBy, metadata.uploadedAt,
                ])
        }
    }
}
