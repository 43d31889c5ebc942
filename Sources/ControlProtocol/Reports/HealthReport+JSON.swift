extension HealthReport: JSONConvertible {
    private enum Key: String {
        case level, sensors, quantities, causes, workers, warnings
        case isThrottled = "throttled"
        case throttledBy = "throttled_by"
        case isBlind = "blind"
        case interval = "interval_s"
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            level: try json.required(Key.level), isThrottled: try json.required(Key.isThrottled),
            throttledBy: try json.optional(Key.throttledBy), isBlind: try json.required(Key.isBlind),
            interval: try json.required(Key.interval), sensors: try json.required(Key.sensors),
            quantities: try json.required(Key.quantities), causes: try json.required(Key.causes),
            workers: try json.required(Key.workers), warnings: try json.required(Key.warnings))
    }

    package var json: JSONValue {
        .object([
            Key.level: level, .isThrottled: isThrottled, .throttledBy: throttledBy, .isBlind: isBlind,
            .interval: interval, .sensors: sensors, .quantities: quantities, .causes: causes, .workers: workers,
            .warnings: warnings,
        ])
    }
}

extension SensorReport: JSONConvertible {
    private enum Key: String { case name, kind, value, limit, fault, level, forecast }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            name: try json.required(Key.name), kind: try json.required(Key.kind), value: try json.optional(Key.value),
            limit: try json.optional(Key.limit), fault: try json.optional(Key.fault),
            level: try json.required(Key.level), forecast: try json.optional(Key.forecast))
    }

    package var json: JSONValue {
        .object([
            Key.name: name, .kind: kind, .value: value, .limit: limit, .fault: fault, .level: level,
            .forecast: forecast,
        ])
    }
}

extension ForecastReport: JSONConvertible {
    private enum Key: String {
        case value
        case horizon = "horizon_s"
        case meanError = "mean_error"
        case isTrusted = "trusted"
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            value: try json.required(Key.value), horizon: try json.required(Key.horizon),
            meanError: try json.optional(Key.meanError), isTrusted: try json.required(Key.isTrusted))
    }

    package var json: JSONValue {
        .object([Key.value: value, .horizon: horizon, .meanError: meanError, .isTrusted: isTrusted])
    }
}

extension QuantityReport: JSONConvertible {
    private enum Key: String { case name, value, level }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            name: try json.required(Key.name), value: try json.optional(Key.value),
            level: try json.required(Key.level))
    }

    package var json: JSONValue { .object([Key.name: name, .value: value, .level: level]) }
}

extension CauseReport: JSONConvertible {
    private enum Key: String {
        case cause, level, why, shed
        case nextShed = "next_shed_in_s"
        case relief = "relief_in_s"
        case nextRestore = "next_restore_in_s"
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            cause: try json.required(Key.cause), level: try json.required(Key.level), why: try json.optional(Key.why),
            shed: try json.required(Key.shed), nextShed: try json.optional(Key.nextShed),
            relief: try json.optional(Key.relief), nextRestore: try json.optional(Key.nextRestore))
    }

    package var json: JSONValue {
        .object([
            Key.cause: cause, .level: level, .why: why, .shed: shed, .nextShed: nextShed, .relief: relief,
            .nextRestore: nextRestore,
        ])
    }
}

extension WorkerUseReport: JSONConvertible {
    private enum Key: String {
        case name, threads, probes
        case processorPercent = "cpu_percent"
        case processorTime = "cpu_s"
        case residentBytes = "resident_bytes"
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            name: try json.required(Key.name), processorPercent: try json.optional(Key.processorPercent),
            processorTime: try json.optional(Key.processorTime), residentBytes: try json.optional(Key.residentBytes),
            threads: try json.optional(Key.threads), probes: try json.required(Key.probes))
    }

    package var json: JSONValue {
        .object([
            Key.name: name, .processorPercent: processorPercent, .processorTime: processorTime,
            .residentBytes: residentBytes, .threads: threads, .probes: probes,
        ])
    }
}

extension ProbeReport: JSONConvertible {
    private enum Key: String {
        case name, kind, state, failures
        case lastFailure = "last_failure"
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            name: try json.required(Key.name), kind: try json.required(Key.kind), state: try json.required(Key.state),
            failures: try json.required(Key.failures), lastFailure: try json.optional(Key.lastFailure))
    }

    package var json: JSONValue {
        .object([
            Key.name: name, .kind: kind, .state: state, .failures: failures, .lastFailure: lastFailure,
        ])
    }
}
