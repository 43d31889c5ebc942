import ControlProtocol

/// What holdfastd tells this process over the system channel: one JSON object per packet, told apart by "type".
enum SupervisorRequest: Equatable {
    /// The first packet: where logs go. The log directory comes along, open.
    case configure(LogSettings)
    /// Drain this worker's FIFO, which comes along; for a worker known already: from now on this FIFO, these limits.
    case add(worker: String, OutputLimits)
    /// Drain what is left, then forget the worker.
    case remove(worker: String)
    /// A process of the worker runs.
    case started(worker: String, pid: Int, instance: UInt64)
    /// Read the FIFO until it is empty, then answer with the last lines of that instance.
    case tail(id: Int, worker: String, instance: UInt64, lines: Int, maximumBytes: Int)
    /// From now on send what of the worker's output is telemetry to the socket that comes along, or log it again.
    case telemetry(worker: String, isOn: Bool)
    /// Put an event into the log.
    case event(EventReport)
    /// Answer a Varlink call of `Logs` on the client's connection, which comes along.
    case logs(worker: String, lines: Int, follow: Bool, more: Bool)
    /// From a newer holdfastd.
    case unknown(type: String)
}

/// Where logs go.
struct LogSettings: Equatable {
    enum JournalUse: String {
        /// When one runs here, else files.
        case auto
        case on
        case off
    }

    var runtime: String
    /// For files; `nil` for none.
    var logDirectory: String?
    var journal: JournalUse
}

extension SupervisorRequest {
    private enum Key: String {
        case type, runtime, journal, worker, files, pid, instance, id, lines, event, follow, more, on
        case logDirectory = "log_directory"
        case rate = "rate_bytes_per_s"
        case burst = "burst_bytes"
        case maximumFileBytes = "max_file_bytes"
        case maximumBytes = "max_bytes"
    }

    /// Throws when a member is missing or has another type.
    init(json: JSONValue) throws(JSONError) {
        let type: String = try json.required(Key.type)
        switch type {
        case "configure":
            let journal: String = try json.required(Key.journal)
            self = .configure(
                LogSettings(
                    runtime: try json.required(Key.runtime), logDirectory: try json.optional(Key.logDirectory),
                    journal: LogSettings.JournalUse(rawValue: journal) ?? .auto))
        case "add":
            // All files of a worker, the one being written included, as in the configuration.
            let files: Int = try json.required(Key.files)
            self = .add(
                worker: try json.required(Key.worker),
                OutputLimits(
                    rate: try json.required(Key.rate), burst: try json.required(Key.burst),
                    maximumFileBytes: try json.required(Key.maximumFileBytes),
                    rotatedFiles: max(files - 1, 0)))
        case "remove": self = .remove(worker: try json.required(Key.worker))
        case "started":
            self = .started(
                worker: try json.required(Key.worker), pid: try json.required(Key.pid),
                instance: UInt64(clamping: try json.required(Key.instance) as Int))
        case "tail":
            self = .tail(
                id: try json.required(Key.id), worker: try json.required(Key.worker),
                instance: UInt64(clamping: try json.required(Key.instance) as Int), lines: try json.required(Key.lines),
                maximumBytes: try json.required(Key.maximumBytes))
        case "telemetry":
            self = .telemetry(worker: try json.required(Key.worker), isOn: try json.required(Key.on))
        case "event": self = .event(try json.required(Key.event))
        case "logs":
            self = .logs(
                worker: try json.required(Key.worker), lines: try json.required(Key.lines),
                follow: try json.required(Key.follow), more: try json.optional(Key.more) ?? true)
        default: self = .unknown(type: type)
        }
    }
}
