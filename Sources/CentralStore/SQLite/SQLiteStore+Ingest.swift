import ControlProtocol
import FleetAPI
import GRDB
import Synchronization

extension SQLiteStore {
    package func apply(_ batch: TelemetryBatch, of device: DeviceIdentity, at now: Int64) async throws -> BatchOutcome {
        try await queue.run { database in
            let ingest = Ingest(database: database, names: self.names, device: device, now: now)
            return try ingest.apply(batch)
        }
    }
}

/// The application of one batch (docs/fleet-protocol.md, Telemetry).
struct Ingest {
    let database: Database
    let names: NameCache
    let device: DeviceIdentity
    let now: Int64

    private struct Spool {
        var number: Int64
        var applied: UInt64
        var checksum: UInt32?
    }

    func apply(_ batch: TelemetryBatch) throws -> BatchOutcome {
        names.makeRoom()
        let header = batch.header
        let spool = try self.spool(header)
        guard header.first <= spool.applied + 1 else {
            return BatchOutcome(acknowledged: spool.applied, isAhead: true)
        }
        let isFork = try isFork(batch, spool) ? flagFork() : false
        guard header.last > spool.applied else {
            return BatchOutcome(acknowledged: spool.applied, isNewlyForked: isFork)
        }
        var outcome = BatchOutcome(acknowledged: header.last, isNewlyForked: isFork)
        let origins = try batch.boots.map { try origin(spool: spool.number, boot: $0, skew: now &- header.sent) }
        switch header.queue {
        case .readings:
            let series = try batch.series.map { try self.series($0) }
            (outcome.applied, outcome.skipped) = try ReadingWriter(database).write(
                batch.values, after: spool.applied, series: series, origins: origins)
            if outcome.skipped > 0 { try noteSkipped(outcome.skipped) }
        case .events:
            for event in batch.events where event.sequence > spool.applied {
                try store(event, batch, origins, &outcome)
                outcome.applied += 1
            }
        }
        for gap in batch.gaps where gap.upperBound > spool.applied {
            try database.cachedStatement(
                sql: "INSERT INTO gap (device, spool, first, last, received_at) VALUES (?, ?, ?, ?, ?)"
            ).execute(arguments: [
                device.number, spool.number, Int64(max(gap.lowerBound, spool.applied + 1)), Int64(gap.upperBound), now,
            ])
        }
        try database.cachedStatement(sql: "UPDATE spool SET applied = ?, checksum = ? WHERE number = ?").execute(
            arguments: [Int64(header.last), batch.checksum(of: header.last).map { Int64($0) }, spool.number])
        return outcome
    }

    private func spool(_ header: BatchHeader) throws -> Spool {
        let statement = try database.cachedStatement(
            sql: "SELECT number, applied, checksum FROM spool WHERE device = ? AND id = ? AND queue = ?")
        if let row = try Row.fetchOne(
            statement, arguments: [device.number, header.spool, header.queue.rawValue])
        {
            return Spool(
                number: row["number"], applied: UInt64(clamping: row["applied"] as Int64),
                checksum: (row["checksum"] as Int64?).map { UInt32(truncatingIfNeeded: $0) })
        }
        try database.execute(
            sql: "INSERT INTO spool (device, id, queue, applied) VALUES (?, ?, ?, 0)",
            arguments: [device.number, header.spool, header.queue.rawValue])
        return Spool(number: database.lastInsertedRowID, applied: 0)
    }

    /// Whether the batch knows another record than the one that was applied last.
    private func isFork(_ batch: TelemetryBatch, _ spool: Spool) throws -> Bool {
        guard let applied = spool.checksum else { return false }
        let theirs =
            batch.header.first == spool.applied + 1 ? batch.header.after : batch.checksum(of: spool.applied)
        guard let theirs else { return false }
        return theirs != applied
    }

    /// - Returns: whether it was not flagged before.
    private func flagFork() throws -> Bool {
        try database.execute(
            sql: "UPDATE device SET forked = 1 WHERE number = ? AND NOT forked", arguments: [device.number])
        return database.changesCount > 0
    }

    /// A skew of less than a second more or less is the network's.
    private static let sameSkew: Int64 = 1000

    private func origin(spool: Int64, boot: String, skew: Int64) throws -> Int64 {
        let key = NameCache.OriginKey(spool: spool, boot: boot)
        var known = names.entries.withLock { $0.origins[key] }
        if known == nil {
            known = try Row.fetchOne(
                database.cachedStatement(
                    sql: "SELECT number, skew FROM origin WHERE spool = ? AND boot = ? ORDER BY number DESC LIMIT 1"),
                arguments: [spool, boot]
            ).map { .init(number: $0["number"], skew: $0["skew"]) }
        }
        if known.map({ abs($0.skew.subtractingReportingOverflow(skew).partialValue) >= Self.sameSkew }) ?? true {
            try database.execute(
                sql: "INSERT INTO origin (spool, boot, skew) VALUES (?, ?, ?)", arguments: [spool, boot, skew])
            known = .init(number: database.lastInsertedRowID, skew: skew)
        }
        names.entries.withLock { $0.origins[key] = known }
        return known?.number ?? 0
    }

    /// - Returns: `nil` when the device has as many as it may.
    private func series(_ name: SeriesName) throws -> Int64? {
        let key = NameCache.SeriesKey(device: device.number, name: name)
        if let number = names.entries.withLock({ $0.series[key] }) { return number }
        var number = try Int64.fetchOne(
            database.cachedStatement(sql: "SELECT number FROM series WHERE device = ? AND worker = ? AND name = ?"),
            arguments: [device.number, name.worker, name.name])
        if number == nil {
            let count = try Int.fetchOne(
                database.cachedStatement(sql: "SELECT count(*) FROM series WHERE device = ?"),
                arguments: [device.number])
            guard (count ?? 0) < StoreLimits.seriesOfDevice else { return nil }
            try database.cachedStatement(sql: "INSERT INTO series (device, worker, name) VALUES (?, ?, ?)").execute(
                arguments: [device.number, name.worker, name.name])
            number = database.lastInsertedRowID
        }
        let found = number
        names.entries.withLock { $0.series[key] = found }
        return number
    }

    /// What is not kept is said, as a device says it.
    private func noteSkipped(_ count: Int) throws {
        try database.execute(
            sql: """
                INSERT INTO event (device, time, received_at, sequence, kind, flags, body) VALUES (?, ?, ?, 0, 'loss', 0, ?)
                """,
            arguments: [device.number, now, now, #"{"e":"loss","reason":"series","count":\#(count)}"#])
    }

    private func store(
        _ event: TelemetryBatch.Event, _ batch: TelemetryBatch, _ origins: [Int64], _ outcome: inout BatchOutcome
    ) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO event (device, time, received_at, origin, sequence, kind, worker, flags, body)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            device.number, event.time, now, origins[Int(event.boot)], Int64(event.sequence), event.kind, event.worker,
            event.isRepeat ? ReadingFlags.isRepeat : 0, event.body.stored,
        ])
        switch event.kind {
        case "incident": try storeIncident(event, boot: batch.boots[Int(event.boot)])
        case "command": try storeProgress(event, &outcome)
        default: break
        }
    }

    private func storeIncident(_ event: TelemetryBatch.Event, boot: String) throws {
        guard let incident = event.body["incident"]?.objectValue, let id = incident["id"]?.intValue else { return }
        let time = (incident["time"]?.doubleValue).flatMap { Int64(exactly: ($0 * 1000).rounded()) } ?? event.time
        try database.cachedStatement(
            sql: """
                INSERT INTO incident (device, boot, incident, time, received_at, worker, body) VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT DO UPDATE SET received_at = excluded.received_at, body = excluded.body
                """
        ).execute(arguments: [
            device.number, boot, id, time, now, incident["worker"]?.stringValue ?? event.worker ?? "",
            incident.stored,
        ])
    }

    /// What the device says counts, but for a step back from an end.
    private func storeProgress(_ event: TelemetryBatch.Event, _ outcome: inout BatchOutcome) throws {
        guard let id = event.body["id"]?.stringValue,
            let state = event.body["state"]?.stringValue.flatMap(CommandState.init(rawValue:)),
            state != .queued, state != .cancelled
        else { return }
        try database.cachedStatement(
            sql: """
                UPDATE assignment SET state = ?, message = ?, result = ?, updated_at = ?
                WHERE device = ? AND command = (SELECT number FROM command WHERE id = ?)
                    AND (? OR state IN ('queued', 'running', 'cancelled', 'expired'))
                """
        ).execute(arguments: [
            state.rawValue, event.body["message"]?.stringValue ?? "", (event.body["result"] ?? .null).text, now,
            device.number, id, state.isTerminal,
        ])
        guard database.changesCount > 0 else { return }
        let deployment = try String.fetchOne(
            database.cachedStatement(
                sql: """
                    SELECT deployment.id FROM deployment_device
                    JOIN deployment ON deployment.number = deployment_device.deployment WHERE command_id = ?
                    """), arguments: [id])
        outcome.commands.append(.init(id: id, state: state, deployment: deployment))
    }
}
