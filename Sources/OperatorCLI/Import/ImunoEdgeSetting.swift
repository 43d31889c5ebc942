import DeviceConfiguration

/// One setting of ImunoEdge, and what becomes of it.
struct ImunoEdgeSetting {
    /// How its value is written there.
    enum Kind {
        /// A name that may have to be changed to be one here.
        case name
        case level
        case address
        /// Seconds, with a fraction perhaps.
        case seconds
        case celsius
        case percent
        case count
        /// `name:command:essential,...`
        case workers
        /// A text that means nothing here.
        case ignored
    }

    enum Counterpart {
        /// A key of a table that stands once: "runtime.name".
        case setting(String)
        /// How often a worker is started again in a row.
        case attempts
        /// The time between two looks at the heartbeat: part of every worker's watchdog.
        case lookInterval
        case workers
        /// There is none; why, or what is there instead.
        case none(String)
    }

    static let prefix = "IMUNOEDGE_"

    let name: String
    let kind: Kind
    let counterpart: Counterpart
    /// Whether its workers are likely to have read it as well.
    let concernsWorkers: Bool

    private init(_ name: String, _ kind: Kind, _ counterpart: Counterpart, concernsWorkers: Bool = false) {
        self.name = Self.prefix + name
        self.kind = kind
        self.counterpart = counterpart
        self.concernsWorkers = concernsWorkers
    }

    /// All that ImunoEdge reads, in the order of its documentation. A counterpart that is built later is one change here.
    static let all: [ImunoEdgeSetting] = [
        ImunoEdgeSetting("DEVICE_ID", .name, .setting("runtime.name"), concernsWorkers: true),
        ImunoEdgeSetting("LOG_LEVEL", .level, .none("the runtime logs what matters, without levels")),
        ImunoEdgeSetting("TELEMETRY_ENDPOINT", .address, .none("where telemetry was sent")),
        ImunoEdgeSetting("FLUSH_INTERVAL", .seconds, .none("seconds between two sendings of telemetry")),
        ImunoEdgeSetting("HEARTBEAT_INTERVAL", .seconds, .none("seconds between two reports about the device")),
        ImunoEdgeSetting("CIRCUIT_FAILURE_THRESHOLD", .count, .none("failures before sending was suspended")),
        ImunoEdgeSetting("CIRCUIT_TIMEOUT", .seconds, .none("seconds for which sending was suspended")),
        ImunoEdgeSetting("RETRY_MAX_ATTEMPTS", .count, .none("attempts of each sending")),
        ImunoEdgeSetting("RETRY_INITIAL_DELAY", .seconds, .none("seconds before the second attempt")),
        ImunoEdgeSetting(
            "HEALTH_INTERVAL", .seconds,
            .none("seconds between two looks at temperature and load; interval in [preservation]")),
        ImunoEdgeSetting("TEMP_THRESHOLD", .celsius, .setting("preservation.pause_at")),
        ImunoEdgeSetting("CPU_THRESHOLD", .percent, .none("percent of CPU above which it warned")),
        ImunoEdgeSetting("MEMORY_THRESHOLD", .percent, .none("percent of memory above which it warned")),
        ImunoEdgeSetting("WATCHDOG_INTERVAL", .seconds, .lookInterval),
        ImunoEdgeSetting("MAX_RESTARTS", .count, .attempts),
        ImunoEdgeSetting("WORKERS", .workers, .workers),
        ImunoEdgeSetting("DATA_DIR", .ignored, .none("where ImunoEdge kept its own data")),
        ImunoEdgeSetting("LOG_DIR", .ignored, .none("where ImunoEdge kept its own log")),
        ImunoEdgeSetting("HEARTBEAT_FILE", .ignored, .none("every worker has a heartbeat file of its own")),
        ImunoEdgeSetting("STOP_SIGNAL", .ignored, .none("every worker has a stop file of its own")),
    ]

    static func named(_ name: String) -> ImunoEdgeSetting? { all.first { $0.name == name } }

    enum Value: Equatable {
        case text(String)
        case duration(Duration)
        case number(Double)
        case count(Int64)

        /// As our configuration writes it.
        var toml: TOMLValue {
            switch self {
            case .text(let text): .string(text)
            case .duration(let duration): .duration(duration)
            case .number(let number): .float(number)
            case .count(let count): .integer(count)
            }
        }
    }

    /// Reads what the file says.
    func value(_ text: String) throws(ImunoEdgeMistake) -> Value {
        let text = text.trimmed
        switch kind {
        case .workers, .ignored: return .text(text)
        case _ where text.isEmpty: throw ImunoEdgeMistake(reason: "is empty", allowed: allowed)
        case .name:
            guard let name = ChildName.nearest(to: text) else {
                throw ImunoEdgeMistake(reason: "\(text.quotedForMessage) cannot be a name", allowed: allowed)
            }
            return .text(name)
        case .level:
            guard Self.levels.contains(text.uppercased()) else {
                throw ImunoEdgeMistake(reason: "\(text.quotedForMessage) is not known", allowed: allowed)
            }
            return .text(text.uppercased())
        case .address:
            guard ["http://", "https://"].contains(where: { text.lowercased().hasPrefix($0) }) else {
                throw ImunoEdgeMistake(reason: "\(text.quotedForMessage) is no address", allowed: allowed)
            }
            return .text(text)
        case .seconds: return .duration(.milliseconds(Int64((try number(text) * 1000).rounded())))
        case .celsius, .percent: return .number(try number(text))
        case .count:
            guard let number = Int64(text), (0...1_000_000).contains(number) else {
                throw ImunoEdgeMistake(reason: "\(text.quotedForMessage) is no such number", allowed: allowed)
            }
            return .count(number)
        }
    }

    private static let levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

    private var range: ClosedRange<Double> {
        switch kind {
        // What the configuration takes.
        case .celsius: -40...150
        case .percent: 0...100
        default: 0...31_536_000
        }
    }

    private var allowed: String {
        switch kind {
        case .name: "a name of \(ChildName.allowed)"
        case .ignored: "a text"
        case .level: Self.levels.dropLast().joined(separator: ", ") + " or CRITICAL"
        case .address: "an address that begins with http:// or https://"
        case .seconds: "seconds such as 2.5, at most a year"
        case .celsius: "degrees Celsius such as 75.0"
        case .percent: "a number from 0 to 100"
        case .count: "a whole number from 0 to 1000000"
        case .workers: "name:command:essential,..."
        }
    }

    private func number(_ text: String) throws(ImunoEdgeMistake) -> Double {
        guard let number = Double(text), range.contains(number) else {
            throw ImunoEdgeMistake(reason: "\(text.quotedForMessage) is no such number", allowed: allowed)
        }
        return number
    }
}

/// What is wrong with a value of ImunoEdge's.
struct ImunoEdgeMistake: Error, Equatable {
    var reason: String
    var allowed: String?

    var text: String { allowed.map { "\(reason); allowed: \($0)" } ?? reason }
}
