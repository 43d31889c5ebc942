import GRDB

extension SQLiteStore {
    package func prune(before time: Int64, limit: Int) async throws -> Int {
        let deleted = try await queue.run { database in
            var deleted = 0
            for statement in Self.oldRows where deleted < limit {
                try database.execute(sql: statement, arguments: [time, limit - deleted])
                deleted += database.changesCount
            }
            deleted += try Self.deleteFinishedDeployments(before: time, limit: limit - deleted, database)
            return try deleted + Self.deleteFinishedCommands(before: time, limit: limit - deleted, database)
        }
        if deleted < limit { return try await pruneReadings(before: time, limit: limit - deleted) + deleted }
        return deleted
    }

    private static let oldRows = [
        "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE received_at < ? LIMIT ?)",
        "DELETE FROM incident WHERE id IN (SELECT id FROM incident WHERE received_at < ? LIMIT ?)",
        "DELETE FROM gap WHERE id IN (SELECT id FROM gap WHERE received_at < ? LIMIT ?)",
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE time < ? LIMIT ?)",
    ]

    /// Each with what became of it at its devices, which is one piece however many they are.
    private static func deleteFinishedCommands(before time: Int64, limit: Int, _ database: Database) throws -> Int {
        guard limit > 0 else { return 0 }
        let finished = try Int64.fetchAll(
            database,
            sql: """
                SELECT number FROM command WHERE created_at < ? AND NOT EXISTS (
                    SELECT 1 FROM assignment WHERE command = command.number AND state IN ('queued', 'running'))
                ORDER BY created_at LIMIT ?
                """, arguments: [time, limit])
        var deleted = 0
        for number in finished where deleted < limit {
            // A number that a device has seen is not given again.
            try database.execute(
                sql: """
                    UPDATE device SET sequence_floor = max(sequence_floor, assignment.sequence) FROM assignment
                    WHERE assignment.device = device.number AND assignment.command = ?
                    """, arguments: [number])
            for table in ["attachment", "assignment"] {
                try database.execute(sql: "DELETE FROM \(table) WHERE command = ?", arguments: [number])
                deleted += database.changesCount
            }
            try database.execute(sql: "DELETE FROM command WHERE number = ?", arguments: [number])
            deleted += database.changesCount
        }
        return deleted
    }

    /// Those that are over everywhere.
    private static func deleteFinishedDeployments(before time: Int64, limit: Int, _ database: Database) throws -> Int {
        guard limit > 0 else { return 0 }
        let finished = try Int64.fetchAll(
            database,
            sql: """
                SELECT number FROM deployment WHERE created_at < ? AND state IN ('finished', 'cancelled')
                    AND NOT EXISTS (SELECT 1 FROM deployment_device
                        WHERE deployment = deployment.number AND state IN ('sent', 'running'))
                ORDER BY number LIMIT ?
                """, arguments: [time, limit])
        var deleted = 0
        for number in finished where deleted < limit {
            try database.execute(sql: "DELETE FROM deployment_device WHERE deployment = ?", arguments: [number])
            deleted += database.changesCount
            try database.execute(sql: "DELETE FROM deployment WHERE number = ?", arguments: [number])
            deleted += database.changesCount
        }
        return deleted
    }

    /// Series by series, for there is no index by time alone: it would cost every reading twice.
    private func pruneReadings(before time: Int64, limit: Int) async throws -> Int {
        // One statement for all of them: a seek each, and a transaction for each would be dearer by far.
        let old = try await pool.read { database in
            try Int64.fetchAll(
                database.cachedStatement(
                    sql: """
                        SELECT number FROM series
                        WHERE EXISTS (SELECT 1 FROM reading WHERE series = number AND time < ?) LIMIT ?
                        """), arguments: [time, limit])
        }
        var deleted = 0
        for series in old where deleted < limit {
            deleted += try await deleteReadings(of: series, before: time, limit: limit - deleted)
        }
        return deleted
    }

    private func deleteReadings(of series: Int64, before time: Int64, limit: Int) async throws -> Int {
        try await queue.run { database in
            try database.cachedStatement(
                sql: """
                    DELETE FROM reading WHERE (series, time, origin, sequence) IN (
                        SELECT series, time, origin, sequence FROM reading WHERE series = ? AND time < ?
                        ORDER BY time LIMIT ?)
                    """
            ).execute(arguments: [series, time, limit])
            return database.changesCount
        }
    }

    package func pruneOldest(limit: Int) async throws -> Int {
        // A day beyond the oldest at a time, so that all series shrink alike.
        let oldest = try await pool.read { database in
            try Int64.fetchOne(
                database,
                sql: "SELECT min((SELECT time FROM reading WHERE series = number ORDER BY time LIMIT 1)) FROM series")
        }
        guard let oldest else { return 0 }
        return try await pruneReadings(before: oldest + 86_400_000, limit: limit)
    }

    package func size() async throws -> Int {
        try await pool.read { database in
            func pragma(_ name: String) throws -> Int { try Int.fetchOne(database, sql: "PRAGMA \(name)") ?? 0 }
            return (try pragma("page_count") - pragma("freelist_count")) * (try pragma("page_size"))
        }
    }
}
