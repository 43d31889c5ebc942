import GRDB
import GRDBSQLite
import Synchronization

/// Moves what was committed from the log (WAL) into the database, on a connection of its own. Left to itself SQLite does that
/// within a commit, which then waits for the disk, and everybody behind it.
final class Checkpointer: Sendable {
    /// Pages in the log from which on it is time.
    private static let duePages = 4000
    /// So few pages the writer moves by itself, for only while nobody writes can the log begin anew.
    private static let restPages = 500
    private static let mostRounds = 5

    private struct State {
        var isRunning = false
        var leavesRest = false
    }

    private let database: DatabaseQueue
    private let state = Mutex(State())

    /// - Parameter path: of a database in WAL mode.
    init(path: String, _ configuration: Configuration) throws {
        database = try DatabaseQueue(path: path, configuration: configuration)
    }

    func close() throws { try database.close() }

    /// Has a connection that writes report its commits here, for as long as this lives.
    func watch(_ database: Database) {
        // sqlite3_wal_hook: called after each commit with the number of pages in the log. It takes the place of SQLite's own.
        sqlite3_wal_hook(
            database.sqliteConnection,
            { context, _, _, pages in
                guard let context else { return SQLITE_OK }
                Unmanaged<Checkpointer>.fromOpaque(context).takeUnretainedValue().committed(Int(pages))
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func committed(_ pages: Int) {
        guard pages >= Self.duePages else { return }
        let mustStart = state.withLock { state in
            guard !state.isRunning, !state.leavesRest else { return false }
            state.isRunning = true
            return true
        }
        guard mustStart else { return }
        database.asyncWriteWithoutTransaction { database in
            // What was written meanwhile is left; less each time.
            for _ in 0..<Self.mostRounds where Self.checkpoint(database) > Self.restPages {}
            self.state.withLock { $0 = State(isRunning: false, leavesRest: true) }
        }
    }

    /// Between two transactions of the writer: moves the rest, so that the log begins anew.
    func finish(_ writer: Database) {
        let isDue = state.withLock { state in
            defer { state.leavesRest = false }
            return state.leavesRest
        }
        if isDue { _ = Self.checkpoint(writer) }
    }

    /// - Returns: how many pages are still to be moved.
    private static func checkpoint(_ database: Database) -> Int {
        var (log, moved): (CInt, CInt) = (0, 0)
        // Passive: waits for nobody, and nobody for it. When it fails, the next commit asks again.
        sqlite3_wal_checkpoint_v2(database.sqliteConnection, nil, SQLITE_CHECKPOINT_PASSIVE, &log, &moved)
        return Int(log - moved)
    }
}
