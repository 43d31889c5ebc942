import FleetAPI
import GRDB

extension SQLiteStore {
    package func latest(_ filter: SeriesFilter) async throws -> [LatestReading] {
        try await pool.read { database in
            try Self.series(filter, database).compactMap { series in
                try Row.fetchOne(
                    database.cachedStatement(
                        sql: Self.readings + "WHERE series = ? ORDER BY time DESC, origin DESC, sequence DESC LIMIT 1"),
                    arguments: [series.number]
                ).map { Self.reading($0, series.name) }
            }
        }
    }

    package func readings(_ query: ReadingsQuery) async throws -> [StoredReading] {
        try await pool.read { database in
            var found: [StoredReading] = []
            for series in try Self.series(query.series, database) where found.count < query.limit {
                found += try Row.fetchAll(
                    database.cachedStatement(
                        sql: Self.readings
                            + "WHERE series = ? AND time >= ? AND time < ? ORDER BY time, origin, sequence LIMIT ?"),
                    arguments: [series.number, query.from, query.to, query.limit - found.count]
                ).map { Self.reading($0, series.name) }
            }
            return found
        }
    }

    package func buckets(_ query: BucketsQuery) async throws -> [ReadingsBucket] {
        try await pool.read { database in
            var found: [ReadingsBucket] = []
            for series in try Self.series(query.series, database) where found.count < query.limit {
                found += try Row.fetchAll(
                    database.cachedStatement(sql: Self.sums),
                    arguments: [
                        query.step, query.step, series.number, query.from, query.to, query.limit - found.count,
                    ]
                ).map { row in
                    ReadingsBucket(
                        series: series.name, time: row["bucket"], count: row["n"], minimum: row["low"],
                        maximum: row["high"], average: row["mean"])
                }
            }
            return found
        }
    }

    package func gaps(device: String) async throws -> [StoredGap] {
        try await pool.read { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT spool.queue, spool.id AS spool, first, last, gap.received_at FROM gap
                    JOIN device ON device.number = gap.device JOIN spool ON spool.number = gap.spool
                    WHERE device.id = ? ORDER BY gap.id DESC LIMIT 1000
                    """, arguments: [device]
            ).map { row in
                StoredGap(
                    queue: row["queue"], spool: row["spool"], first: UInt64(clamping: row["first"] as Int64),
                    last: UInt64(clamping: row["last"] as Int64), receivedAt: row["received_at"])
            }
        }
    }

    private static let readings = """
        SELECT reading.*, origin.boot, origin.skew FROM reading LEFT JOIN origin ON origin.number = reading.origin

        """

    // Whole division of SQLite rounds towards zero; no device was there before 1970.
    private static let sums = """
        SELECT time / ? * ? AS bucket, count(*) AS n, min(value) AS low, max(value) AS high, avg(value) AS mean
        FROM reading WHERE series = ? AND time >= ? AND time < ? AND typeof(value) <> 'text'
        GROUP BY bucket ORDER BY bucket LIMIT ?
        """

    private struct Series {
        var number: Int64
        var name: SeriesName
    }

    private static func series(_ filter: SeriesFilter, _ database: Database) throws -> [Series] {
        try Row.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT series.number, worker, series.name FROM series JOIN device ON device.number = series.device
                    WHERE device.id = ? AND (? IS NULL OR worker = ?) AND (? IS NULL OR series.name = ?)
                    ORDER BY worker, series.name LIMIT ?
                    """),
            arguments: [filter.device, filter.worker, filter.worker, filter.name, filter.name, filter.limit]
        ).map { Series(number: $0["number"], name: SeriesName(worker: $0["worker"], name: $0["name"])) }
    }

    private static func reading(_ row: Row, _ series: SeriesName) -> StoredReading {
        let flags: Int64 = row["flags"]
        let stored: DatabaseValue = row["value"]
        let value: ReadingValue =
            switch stored.storage {
            case .int64(let int): flags & ReadingFlags.isBool != 0 ? .bool(int != 0) : .int(int)
            case .double(let double): .double(double)
            case .string(let text): .text(text)
            case .blob, .null: .text("")
            }
        return StoredReading(
            series: series, time: row["time"], value: value, boot: row["boot"] ?? "", monotonic: row["monotonic"],
            skew: row["skew"] ?? 0, isRepeat: flags & ReadingFlags.isRepeat != 0)
    }
}
