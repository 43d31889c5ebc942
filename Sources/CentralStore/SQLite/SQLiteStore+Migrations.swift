import GRDB

extension SQLiteStore {
    /// The database's own versions. What was once released is never changed: another one follows it.
    static var migrations: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: all of issue 5") { database in
            try database.execute(sql: settings + devices + tokens + telemetry + events + commands)
        }
        migrator.registerMigration("2: bundles and deployments") { database in
            try database.execute(sql: bundles + deployments)
        }
        return migrator
    }

    private static let settings = """
        CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY, time INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
            target TEXT NOT NULL, detail TEXT NOT NULL);

        """

    // `number` is what the other tables refer to: two bytes instead of sixteen in every row. AUTOINCREMENT, so that what is
    // left of a deleted device never belongs to a new one. `labels_set` is what an operator wants, `labels` what the device
    // told. `presence` is apart, for it changes for everybody all the time, and a device's row may have a kilobyte.
    private static let devices = """
        CREATE TABLE device (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, public_key BLOB NOT NULL UNIQUE,
            state TEXT NOT NULL, name TEXT NOT NULL, enrolled_at INTEGER NOT NULL,
            labels TEXT NOT NULL DEFAULT '{}', labels_set TEXT, facts TEXT NOT NULL, version TEXT, boot TEXT, up REAL,
            skew INTEGER, forked INTEGER NOT NULL DEFAULT 0, report TEXT NOT NULL DEFAULT '{}',
            spools TEXT NOT NULL DEFAULT '{}', sequence_floor INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE presence (device INTEGER PRIMARY KEY, last_seen INTEGER NOT NULL);

        """

    private static let tokens = """
        CREATE TABLE enrolment_token (
            id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
            uses INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, needs_approval INTEGER NOT NULL,
            revoked_at INTEGER) WITHOUT ROWID;
        CREATE TABLE enrolment_use (
            token TEXT NOT NULL, public_key BLOB NOT NULL, time INTEGER NOT NULL,
            PRIMARY KEY (token, public_key)) WITHOUT ROWID;
        CREATE TABLE operator_token (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,
            created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER) WITHOUT ROWID;

        """

    // A reading's row is small because `origin` stands for its spool, boot and clock skew, and the table is its own index:
    // what is asked for together, one series in the order of time, lies together.
    private static let telemetry = """
        CREATE TABLE spool (
            number INTEGER PRIMARY KEY AUTOINCREMENT, device INTEGER NOT NULL, id TEXT NOT NULL, queue TEXT NOT NULL,
            applied INTEGER NOT NULL, checksum INTEGER, UNIQUE (device, id, queue));
        CREATE TABLE origin (
            number INTEGER PRIMARY KEY AUTOINCREMENT, spool INTEGER NOT NULL, boot TEXT NOT NULL, skew INTEGER NOT NULL);
        CREATE INDEX origin_by_spool ON origin (spool, boot);
        CREATE TABLE series (
            number INTEGER PRIMARY KEY AUTOINCREMENT, device INTEGER NOT NULL, worker TEXT NOT NULL, name TEXT NOT NULL,
            UNIQUE (device, worker, name));
        CREATE TABLE reading (
            series INTEGER NOT NULL, time INTEGER NOT NULL, origin INTEGER NOT NULL, sequence INTEGER NOT NULL,
            value ANY NOT NULL, monotonic INTEGER NOT NULL, flags INTEGER NOT NULL,
            PRIMARY KEY (series, time, origin, sequence)) WITHOUT ROWID;
        CREATE TABLE gap (
            id INTEGER PRIMARY KEY, device INTEGER NOT NULL, spool INTEGER NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL, received_at INTEGER NOT NULL);
        CREATE INDEX gap_by_device ON gap (device, id);

        """

    private static let events = """
        CREATE TABLE event (
            id INTEGER PRIMARY KEY AUTOINCREMENT, device INTEGER NOT NULL, time INTEGER NOT NULL,
            received_at INTEGER NOT NULL, origin INTEGER, sequence INTEGER NOT NULL, kind TEXT NOT NULL, worker TEXT,
            flags INTEGER NOT NULL, body TEXT NOT NULL);
        CREATE INDEX event_by_device ON event (device, id);
        CREATE INDEX event_by_time ON event (received_at);
        CREATE TABLE incident (
            id INTEGER PRIMARY KEY AUTOINCREMENT, device INTEGER NOT NULL, boot TEXT NOT NULL, incident INTEGER NOT NULL,
            time INTEGER NOT NULL, received_at INTEGER NOT NULL, worker TEXT NOT NULL, body TEXT NOT NULL,
            UNIQUE (device, boot, incident, time));
        CREATE INDEX incident_by_time ON incident (received_at);

        """

    private static let commands = """
        CREATE TABLE command (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, payload TEXT NOT NULL,
            created_at INTEGER NOT NULL, expires_at INTEGER, created_by TEXT NOT NULL, target TEXT NOT NULL);
        CREATE INDEX command_by_time ON command (created_at);
        CREATE TABLE assignment (
            device INTEGER NOT NULL, sequence INTEGER NOT NULL, command INTEGER NOT NULL, state TEXT NOT NULL,
            message TEXT NOT NULL DEFAULT '', result TEXT NOT NULL DEFAULT 'null', updated_at INTEGER NOT NULL,
            PRIMARY KEY (device, sequence)) WITHOUT ROWID;
        CREATE UNIQUE INDEX assignment_by_command ON assignment (command, device);
        CREATE INDEX assignment_queued ON assignment (device) WHERE state = 'queued';
        CREATE TABLE attachment (
            command INTEGER NOT NULL, device INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (command, device));

        """

    private static let bundles = """
        CREATE TABLE upload (
            sha256 TEXT PRIMARY KEY, file TEXT NOT NULL, size INTEGER NOT NULL, started_by TEXT NOT NULL,
            started_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE bundle (
            number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, version TEXT NOT NULL, file TEXT NOT NULL,
            size INTEGER NOT NULL, sha256 TEXT NOT NULL UNIQUE, description TEXT NOT NULL, uploaded_by TEXT NOT NULL,
            uploaded_at INTEGER NOT NULL, UNIQUE (name, version));
        CREATE TABLE metadata (
            name TEXT PRIMARY KEY, version INTEGER NOT NULL, bytes BLOB NOT NULL, sha256 TEXT NOT NULL,
            content_sha256 TEXT NOT NULL, uploaded_by TEXT NOT NULL, uploaded_at INTEGER NOT NULL) WITHOUT ROWID;

        """

    // What devices say of commands goes on into the deployment by a trigger, so that the two are never apart, and stays when
    // the command is deleted for its age. `command_id` is there from the beginning, `command` once it was made.
    private static let deployments = """
        CREATE TABLE deployment (
            number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, bundle TEXT NOT NULL,
            version TEXT, payload TEXT NOT NULL, expires_in REAL NOT NULL, max_parallel INTEGER NOT NULL,
            max_failures INTEGER NOT NULL, forgiven INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL,
            created_at INTEGER NOT NULL, created_by TEXT NOT NULL, target TEXT NOT NULL, updated_at INTEGER NOT NULL);
        CREATE INDEX deployment_active ON deployment (bundle) WHERE state IN ('running', 'paused', 'halted');
        CREATE TABLE deployment_device (
            deployment INTEGER NOT NULL, position INTEGER NOT NULL, device INTEGER NOT NULL, state TEXT NOT NULL,
            message TEXT NOT NULL DEFAULT '', command_id TEXT NOT NULL UNIQUE, command INTEGER,
            updated_at INTEGER NOT NULL, PRIMARY KEY (deployment, position)) WITHOUT ROWID;
        CREATE UNIQUE INDEX deployment_by_device ON deployment_device (device, deployment);
        CREATE UNIQUE INDEX deployment_by_command ON deployment_device (command) WHERE command IS NOT NULL;
        CREATE INDEX deployment_by_state ON deployment_device (deployment, state);
        CREATE TRIGGER deployment_progress AFTER UPDATE OF state, message ON assignment BEGIN
            UPDATE deployment_device SET
                state = CASE new.state WHEN 'queued' THEN 'sent' WHEN 'succeeded' THEN 'committed'
                    WHEN 'interrupted' THEN 'failed' ELSE new.state END,
                message = new.message, updated_at = new.updated_at
            WHERE command = new.command AND device = new.device;
        END;

        """
}
