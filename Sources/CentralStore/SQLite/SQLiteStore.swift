import ControlProtocol
import FleetAPI
import GRDB
import GRDBSQLite

/// Everything in one SQLite database, in WAL mode, synced at every commit.
package final class SQLiteStore: CentralStore {
    let pool: DatabasePool
    let queue: WriteQueue
    private let checkpointer: Checkpointer
    let names = NameCache()

    /// Opens the database, and makes or updates it as needed.
    /// - Parameters:
    ///   - path: of the file; its folder has to exist. Two more files come beside it.
    ///   - cacheBytes: for pages of the database, while writing.
    package init(path: String, cacheBytes: Int = 64 << 20) throws {
        var configuration = Configuration()
        // The command line and the service use the same file.
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { database in
            // FULL: what a device was told is kept has to outlive a power cut, for it deletes its own copy.
            try database.execute(
                sql: """
                    PRAGMA synchronous = FULL;
                    PRAGMA cache_size = -\(cacheBytes / 1024);
                    PRAGMA temp_store = MEMORY;
                    PRAGMA journal_size_limit = 134217728;
                    """)
        }
        pool = try DatabasePool(path: path, configuration: configuration)
        try Self.migrations.migrate(pool)
        let checkpointer = try Checkpointer(path: path, configuration)
        self.checkpointer = checkpointer
        pool.writeWithoutTransaction { checkpointer.watch($0) }
        let names = self.names
        queue = WriteQueue(pool, checkpointer) { names.forget() }
    }

    /// Closes the database once nobody uses it any more.
    package func close() throws {
        try pool.close()
        try checkpointer.close()
    }

    package func setting(_ key: String) async throws -> String? {
        try await pool.read {
            try String.fetchOne($0, sql: "SELECT value FROM setting WHERE key = ?", arguments: [key])
        }
    }

    package func set(_ key: String, to value: String) async throws {
        try await queue.run { database in
            try database.execute(
                sql: "INSERT INTO setting VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                arguments: [key, value])
        }
    }

    package func check() async throws {
        _ = try await pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM setting") }
    }
}

extension JSONObject {
    /// As the database keeps it.
    var stored: String { JSONValue.object(self).text }

    /// What was stored; empty when it is damaged.
    init(stored: String?) {
        guard let stored, let json = try? JSONValue.parse(Array(stored.utf8), limits: .reply) else {
            self.init()
            return
        }
        self = json.objectValue ?? JSONObject()
    }
}
