import ControlProtocol
import MonotonicTime
import Supervision

/// The words of the state file (docs/state-format.md).
enum StateText {
    static func text(_ exit: ExitStatus) -> String {
        switch exit {
        case .exited(let code): "exited:\(code)"
        case .signaled(let signal, let coreDumped): "\(coreDumped ? "dumped" : "killed"):\(signal.rawValue)"
        case .unknown: "unknown"
        }
    }

    static func exit(_ text: String) -> ExitStatus? {
        let parts = text.split(separator: ":", maxSplits: 1)
        switch (parts.first, parts.count == 2 ? Int32(parts[1]) : nil) {
        case ("exited", let code?): return .exited(code: code)
        case ("killed", let signal?): return .signaled(Signal(rawValue: signal), coreDumped: false)
        case ("dumped", let signal?): return .signaled(Signal(rawValue: signal), coreDumped: true)
        case ("unknown", nil): return .unknown
        default: return nil
        }
    }

    static func text(_ cause: FailureCause) -> String {
        switch cause {
        case .exited(let exit): text(exit)
        case .spawnFailed(let failure): "spawn:\(failure.errno):\(failure.step)"
        case .startTimedOut: "start-timeout"
        case .watchdogTimedOut: "watchdog-timeout"
        case .watchdogTriggered: "watchdog-trigger"
        }
    }

    static func cause(_ text: String) -> FailureCause? {
        switch text {
        case "start-timeout": return .startTimedOut
        case "watchdog-timeout": return .watchdogTimedOut
        case "watchdog-trigger": return .watchdogTriggered
        default: break
        }
        let parts = text.split(separator: ":", maxSplits: 2)
        if parts.count == 3, parts[0] == "spawn", let errno = Int32(parts[1]) {
            return .spawnFailed(SpawnFailure(step: String(parts[2]), errno: errno))
        }
        return exit(text).map { .exited($0) }
    }

    static func text(_ phase: WorkerPhase) -> String { phase.state.rawValue }

    static func text(_ purpose: Stop.Purpose) -> String {
        switch purpose {
        case .requested: "requested"
        case .failure(let cause): "failure:\(text(cause))"
        case .announced: "announced"
        case .ended: "ended"
        }
    }

    static func purpose(_ text: String) -> Stop.Purpose? {
        switch text {
        case "requested": .requested
        case "announced": .announced
        case "ended": .ended
        default: text.hasPrefix("failure:") ? cause(String(text.dropFirst(8))).map { .failure($0) } : nil
        }
    }
}

/// Reads the members of one JSON object and says what is wrong with it.
struct StateReader {
    let json: JSONValue

    func text(_ key: String) throws(JSONError) -> String {
        guard let value = json[key]?.stringValue else { throw JSONError(.wrongType, at: key, "must be text") }
        return value
    }

    func integer(_ key: String) throws(JSONError) -> Int {
        guard let value = json[key]?.intValue else { throw JSONError(.wrongType, at: key, "must be a whole number") }
        return value
    }

    func optionalInteger(_ key: String) throws(JSONError) -> Int? {
        json[key] == nil ? nil : try integer(key)
    }

    /// Absent is false.
    func flag(_ key: String) throws(JSONError) -> Bool {
        guard let value = json[key] else { return false }
        guard let flag = value.boolValue else { throw JSONError(.wrongType, at: key, "must be true or false") }
        return flag
    }

    func list(_ key: String) throws(JSONError) -> [JSONValue] {
        guard let value = json[key] else { return [] }
        guard let list = value.arrayValue else { throw JSONError(.wrongType, at: key, "must be a list") }
        return list
    }

    func texts(_ key: String) throws(JSONError) -> [String] {
        let list = try list(key)
        let texts = list.compactMap(\.stringValue)
        guard texts.count == list.count else { throw JSONError(.wrongType, at: key, "must be a list of texts") }
        return texts
    }

    func instant(_ key: String) throws(JSONError) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: Int64(try integer(key)))
    }

    func optionalInstant(_ key: String) throws(JSONError) -> MonotonicInstant? {
        try optionalInteger(key).map { MonotonicInstant(nanoseconds: Int64($0)) }
    }

    func optionalDuration(_ key: String) throws(JSONError) -> Duration? {
        try optionalInteger(key).map { .nanoseconds(Int64($0)) }
    }

    /// A text that one of the functions of `StateText` understands.
    func word<Value>(_ key: String, _ parse: (String) -> Value?) throws(JSONError) -> Value {
        guard let value = parse(try text(key)) else { throw JSONError(.wrongType, at: key, "is a word nobody knows") }
        return value
    }

    func optionalWord<Value>(_ key: String, _ parse: (String) -> Value?) throws(JSONError) -> Value? {
        json[key] == nil ? nil : try word(key, parse)
    }
}

/// Collects the members of one JSON object; what is not there is left out, and so is what is false.
struct StateWriter {
    private var members: [JSONObject.Member] = []

    var json: JSONValue { .object(JSONObject(members)) }

    mutating func add(_ key: String, _ value: JSONValue) {
        members.append(JSONObject.Member(key: key, value: value))
    }

    mutating func add(_ key: String, _ value: Int) { add(key, .int(Int64(value))) }

    mutating func add(_ key: String, _ value: String?) {
        if let value { add(key, .string(value)) }
    }

    mutating func add(_ key: String, _ value: Bool) {
        if value { add(key, .bool(true)) }
    }

    mutating func add(_ key: String, _ value: MonotonicInstant?) {
        if let value { add(key, .int(value.nanoseconds)) }
    }

    mutating func add(_ key: String, _ value: Duration?) {
        if let value { add(key, .int(value.wholeNanoseconds)) }
    }

    mutating func add(_ key: String, _ values: [JSONValue]) {
        if !values.isEmpty { add(key, .array(values)) }
    }
}
