import GRDB
import GRDBSQLite

enum ReadingFlags {
    static let isRepeat: Int64 = 1
    /// The value 0 or 1 is false or true.
    static let isBool: Int64 = 2
}

/// Writes readings with SQLite's own calls: GRDB's way through a list of arguments costs more than the row itself.
struct ReadingWriter {
    private let database: Database
    private let statement: Statement

    init(_ database: Database) throws {
        self.database = database
        // REPLACE: a row with this key can only be there after a repair by hand, and must not stop the device for ever.
        statement = try database.cachedStatement(sql: "INSERT OR REPLACE INTO reading VALUES (?, ?, ?, ?, ?, ?, ?)")
    }

    /// - Returns: how many of what was new were written, and how many left out because they have no series.
    func write(
        _ values: [TelemetryBatch.Value], after applied: UInt64, series: [Int64?], origins: [Int64]
    ) throws -> (written: Int, skipped: Int) {
        var (written, skipped) = (0, 0)
        let handle = statement.sqliteStatement
        // Bound texts live no longer than the loop.
        defer {
            sqlite3_reset(handle)
            sqlite3_clear_bindings(handle)
        }
        for value in values where value.sequence > applied {
            guard let number = series[Int(value.series)] else {
                skipped += 1
                continue
            }
            var flags = value.isRepeat ? ReadingFlags.isRepeat : 0
            sqlite3_bind_int64(handle, 1, number)
            sqlite3_bind_int64(handle, 2, value.time)
            sqlite3_bind_int64(handle, 3, origins[Int(value.boot)])
            sqlite3_bind_int64(handle, 4, Int64(value.sequence))
            sqlite3_bind_int64(handle, 6, value.monotonic)
            switch value.value {
            case .int(let int): sqlite3_bind_int64(handle, 5, int)
            case .double(let double): sqlite3_bind_double(handle, 5, double)
            case .bool(let bool):
                flags |= ReadingFlags.isBool
                sqlite3_bind_int64(handle, 5, bool ? 1 : 0)
            case .text(let text):
                // SQLITE_TRANSIENT, which C writes as -1 cast to a function: SQLite makes a copy.
                // SAFETY: SQLite compares this value and never calls it.
                let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
                sqlite3_bind_text(handle, 5, text, Int32(text.utf8.count), transient)
            }
            sqlite3_bind_int64(handle, 7, flags)
            let code = sqlite3_step(handle)
            sqlite3_reset(handle)
            guard code == SQLITE_DONE else {
                throw DatabaseError(
                    resultCode: ResultCode(rawValue: code),
                    message: String(cString: sqlite3_errmsg(database.sqliteConnection)))
            }
            written += 1
        }
        return (written, skipped)
    }
}
