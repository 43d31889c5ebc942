import GRDB
import GRDBSQLite
import Synchronization

/// All that writes, in one line. What has gathered while a transaction was synced goes into the next one together, so that
/// many devices share the price of a sync; within it each piece stands for itself (a savepoint), and nobody hears of
/// success before the common commit.
final class WriteQueue: Sendable {
    /// Jobs of one transaction, so that the first of them does not wait for long.
    private static let jobsPerTransaction = 256

    private struct State {
        var jobs: [Job] = []
        var isDraining = false
    }

    private let pool: DatabasePool
    private let checkpointer: Checkpointer
    private let state = Mutex(State())
    /// What was cached of the database is no longer true.
    private let onRollback: @Sendable () -> Void

    init(_ pool: DatabasePool, _ checkpointer: Checkpointer, onRollback: @escaping @Sendable () -> Void) {
        self.pool = pool
        self.checkpointer = checkpointer
        self.onRollback = onRollback
    }

    func run<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let mustStart = state.withLock { state in
                state.jobs.append(Job(body, continuation))
                defer { state.isDraining = true }
                return !state.isDraining
            }
            if mustStart { pool.asyncWriteWithoutTransaction { database in self.drain(database) } }
        }
    }

    private func drain(_ database: Database) {
        while true {
            let jobs = state.withLock { state in
                let jobs = Array(state.jobs.prefix(Self.jobsPerTransaction))
                state.jobs.removeFirst(jobs.count)
                if jobs.isEmpty { state.isDraining = false }
                return jobs
            }
            guard !jobs.isEmpty else { return }
            commit(jobs, database)
            checkpointer.finish(database)
        }
    }

    private func commit(_ jobs: [Job], _ database: Database) {
        var finish: [Job.Finish] = []
        var failure: (any Error)?
        do {
            try database.inTransaction(.immediate) {
                for job in jobs {
                    let (outcome, error) = job.perform(database)
                    finish.append(outcome)
                    if let error {
                        onRollback()
                        // SQLite rolls a whole transaction back by itself when the disk is full or fails.
                        if sqlite3_get_autocommit(database.sqliteConnection) != 0 { throw error }
                    }
                }
                return .commit
            }
        } catch {
            failure = error
            onRollback()
        }
        for done in finish { done(failure) }
        if let failure {
            for job in jobs.dropFirst(finish.count) { job.fail(failure) }
        }
    }
}

/// A piece of writing and whoever waits for it.
private struct Job: Sendable {
    /// To be called after the commit, or with what it failed of.
    typealias Finish = @Sendable ((any Error)?) -> Void

    let perform: @Sendable (Database) -> (Finish, (any Error)?)
    let fail: @Sendable (any Error) -> Void

    init<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value, _ continuation: CheckedContinuation<Value, any Error>
    ) {
        perform = { database in
            do {
                var value: Value?
                try database.inSavepoint {
                    value = try body(database)
                    return .commit
                }
                guard let value else { throw CancellationError() }
                return ({ error in continuation.resume(with: error.map { .failure($0) } ?? .success(value)) }, nil)
            } catch {
                return ({ commitError in continuation.resume(throwing: commitError ?? error) }, error)
            }
        }
        fail = { continuation.resume(throwing: $0) }
    }
}
