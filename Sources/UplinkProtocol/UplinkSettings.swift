package import ControlProtocol

/// What `holdfast-uplink` has to know: of `[uplink]`, and where its things are.
package struct UplinkSettings: Equatable, Sendable {
    /// What the device calls itself.
    package var name: String
    /// Its own folder: the key, the enrolment, the journal of commands.
    package var folder: String
    /// Where the spools are.
    package var spoolFolder: String
    /// Replaces the address of the enrolment, such as `https://10.0.0.1:7443`.
    package var central: String?
    /// Such as `http://proxy.example:3128`.
    package var proxy: String?
    package var labels: [String: String]
    /// Readings are on disk, and may be sent, after this time at the latest.
    package var flushInterval: Duration
    /// Between two readings of the runtime itself; `nil` for none.
    package var metricsInterval: Duration?
    package var events: Queue
    package var readings: Queue

    package struct Queue: Equatable, Sendable {
        /// Of all files, in bytes.
        package var quota: Int
        /// Refuses what does not fit, instead of dropping the oldest.
        package var refusesWhenFull: Bool
        /// `nil` keeps records until they are delivered.
        package var timeToLive: Duration?

        package init(quota: Int, refusesWhenFull: Bool = false, timeToLive: Duration? = nil) {
            self.quota = quota
            self.refusesWhenFull = refusesWhenFull
            self.timeToLive = timeToLive
        }
    }

    package init(
        name: String, folder: String, spoolFolder: String, central: String? = nil, proxy: String? = nil,
        labels: [String: String] = [:], flushInterval: Duration = .seconds(1), metricsInterval: Duration? = nil,
        events: Queue, readings: Queue
    ) {
        self.name = name
        self.folder = folder
        self.spoolFolder = spoolFolder
        self.central = central
        self.proxy = proxy
        self.labels = labels
        self.flushInterval = flushInterval
        self.metricsInterval = metricsInterval
        self.events = events
        self.readings = readings
    }
}

extension UplinkSettings: JSONConvertible {
    private enum Key: String {
        case name, folder, central, proxy, labels, events, readings
        case spoolFolder = "spool_folder"
        case flushInterval = "flush_interval_s"
        case metricsInterval = "metrics_interval_s"
    }

    package init(json: JSONValue) throws(JSONError) {
        name = try json.required(Key.name)
        folder = try json.required(Key.folder)
        spoolFolder = try json.required(Key.spoolFolder)
        central = try json.optional(Key.central)
        proxy = try json.optional(Key.proxy)
        labels = [:]
        for member in (try json.required(Key.labels) as JSONObject).members {
            labels[member.key] = try String(json: member.value)
        }
        flushInterval = .seconds(try json.required(Key.flushInterval) as Double)
        metricsInterval = try (json.optional(Key.metricsInterval) as Double?).map { .seconds($0) }
        events = try json.required(Key.events)
        readings = try json.required(Key.readings)
    }

    package var json: JSONValue {
        let labels = JSONObject(
            self.labels.sorted { $0.key < $1.key }.map { JSONObject.Member(key: $0.key, value: .string($0.value)) })
        return .object([
            Key.name: name, .folder: folder, .spoolFolder: spoolFolder, .central: central, .proxy: proxy,
            .labels: labels, .flushInterval: flushInterval / .seconds(1),
            .metricsInterval: metricsInterval.map { $0 / .seconds(1) }, .events: events, .readings: readings,
        ])
    }
}

extension UplinkSettings.Queue: JSONConvertible {
    private enum Key: String { case quota, refuses, timeToLive = "time_to_live_s" }

    package init(json: JSONValue) throws(JSONError) {
        quota = try json.required(Key.quota)
        refusesWhenFull = try json.required(Key.refuses)
        timeToLive = try (json.optional(Key.timeToLive) as Double?).map { .seconds($0) }
    }

    package var json: JSONValue {
        .object([Key.quota: quota, .refuses: refusesWhenFull, .timeToLive: timeToLive.map { $0 / .seconds(1) }])
    }
}
