import CSensors
import LinuxSystem
import MonitorProtocol
import MonotonicTime
import SelfPreservation

/// All sensors of the machine: what there is, what of it counts by the rules, and what was read last. A round reads each of
/// them, and the room on the file systems that have a rule.
final class SensorSurvey {
    enum Kind: String {
        case temperature, fan, voltage, power
    }

    struct Sensor {
        var name: String
        var kind: Kind
        var limit: Double?
        /// The last reading, believed or not, with its offset.
        var reading: Double?
        var readAt: MonotonicInstant
        var offset: Double
        /// A thread has got stuck in it.
        var isStuck: Bool
        fileprivate var index: Int
    }

    /// How often chips that come or go are looked for.
    private static let discoveryInterval: Duration = .seconds(60)
    /// Limits that no chip means: several drivers call 0, 127 or 65261.8 degrees their highest value.
    private static let plausibleLimits = 30.0...126.0

    private let loop: EventLoop
    private let reader: SensorReader
    private var rules: [(pattern: GlobPattern, rule: SensorRule)] = []
    private var paths: [String] = []
    private var stuck: Set<String> = []
    private var stuckPaths: Set<String> = []
    private var discoveredAt: MonotonicInstant?
    private var ignored: Set<String> = []
    private(set) var sensors: [Sensor] = []

    /// Called with what the core has to know, in order.
    var onEvent: (Event) -> Void = { _ in }
    /// Called with what an operator should know.
    var onWarning: (String) -> Void = { _ in }
    /// Called when so many threads are stuck that this process should end.
    var onHopeless: () -> Void = {}
    /// Called when all there is has been read.
    var onRoundEnded: () -> Void = {}

    init(loop: EventLoop, thermalFolder: String, usesLibrary: Bool) {
        self.loop = loop
        reader = SensorReader(loop: loop, thermalFolder: thermalFolder, usesLibrary: usesLibrary)
    }

    /// Other rules. What has been stuck gets another chance.
    func configure(_ settings: MonitorSettings) {
        rules = settings.sensors.map { (GlobPattern($0.pattern), $0) }
        paths = settings.policy.quantities.keys.compactMap {
            if case .fileSystem(let path) = $0 { path } else { nil }
        }.sorted()
        reader.patience = min(.seconds(2), max(.milliseconds(250), settings.policy.sensorTimeout / 4))
        stuck = []
        stuckPaths = []
        discoveredAt = nil
    }

    /// Reads everything once. While a round is under way this does nothing.
    func beginRound() {
        guard !reader.isBusy else { return }
        guard let discoveredAt else { return discover(onlyChanges: false) }
        if discoveredAt.duration(to: loop.now) >= SensorSurvey.discoveryInterval { return discover(onlyChanges: true) }
        readValues()
    }

    // MARK: Looking for sensors

    private func discover(onlyChanges: Bool) {
        discoveredAt = loop.now
        submit([.discover(onlyChanges: onlyChanges)]) { [weak self] outcome in
            guard let self else { return }
            if outcome.stuck != nil {
                warnOfStuckThread("looking for sensors with libsensors")
                // The next thread does without it.
                if reader.stuckThreads < SensorReader.mostStuckThreads { discover(onlyChanges: false) }
            } else if !onlyChanges || outcome.answers.first?.value == 1 {
                if let problem = reader.problem {
                    onWarning("only /sys/class/thermal is read: libsensors cannot be used (\(problem))")
                }
                list()
                readLimits()
            } else {
                readValues()
            }
        }
    }

    private func list() {
        let former = Dictionary(sensors.map { ($0.name, $0) }) { first, _ in first }
        sensors = []
        var unwanted: Set<String> = []
        for (index, found) in reader.sensors.enumerated() {
            let rule = rules.first { $0.pattern.matches(found.name) }?.rule
            if rule?.isIgnored == true {
                unwanted.insert(found.name)
                continue
            }
            var sensor =
                former[found.name]
                ?? Sensor(
                    name: found.name, kind: Kind(found.kind), readAt: loop.now, offset: 0, isStuck: false, index: index)
            sensor.index = index
            sensor.offset = rule?.offset ?? 0
            sensor.isStuck = stuck.contains(found.name)
            sensors.append(sensor)
        }
        for name in unwanted.subtracting(ignored).sorted() { onEvent(.sensorIgnored(name)) }
        ignored = unwanted
        for sensor in sensors where sensor.kind == .temperature { onEvent(.sensorFound(sensor.name)) }
        if !sensors.contains(where: { $0.kind == .temperature }) {
            onWarning("no temperature sensor was found: nothing is done against heat here")
        }
    }

    private func readLimits() {
        submit(sensors.filter { !$0.isStuck }.map { .limit(sensor: $0.index) }) { [weak self] outcome in
            guard let self else { return }
            for (errand, value) in outcome.answers {
                guard case .limit(let index) = errand, let place = place(of: index) else { continue }
                let isBelievable =
                    sensors[place].kind != .temperature
                    || value.map(SensorSurvey.plausibleLimits.contains) ?? false
                sensors[place].limit = isBelievable ? value.flatMap { $0.isFinite ? $0 : nil } : nil
            }
            if noteStuck(outcome) { readValues() }
        }
    }

    // MARK: Reading

    private func readValues() {
        let errands: [SensorReader.Errand] =
            sensors.filter { !$0.isStuck }.map { .value(sensor: $0.index) }
            + paths.filter { !stuckPaths.contains($0) }.map { .space(path: $0) }
        read(errands)
    }

    private func read(_ errands: [SensorReader.Errand]) {
        submit(errands) { [weak self] outcome in
            guard let self else { return }
            for (errand, value) in outcome.answers { take(value, of: errand) }
            guard noteStuck(outcome) else { return }
            if outcome.rest.isEmpty { onRoundEnded() } else { read(outcome.rest) }
        }
    }

    private func take(_ value: Double?, of errand: SensorReader.Errand) {
        switch errand {
        case .value(let index):
            guard let place = place(of: index), let value else { return }
            let reading = value + sensors[place].offset
            sensors[place].reading = reading
            sensors[place].readAt = loop.now
            guard sensors[place].kind == .temperature else { return }
            onEvent(.temperature(sensor: sensors[place].name, celsius: reading, limit: sensors[place].limit))
        case .space(let path):
            if let value { onEvent(.measured(.fileSystem(path), value)) }
        case .discover, .limit: break
        }
    }

    /// - Returns: whether to go on.
    private func noteStuck(_ outcome: SensorReader.Outcome) -> Bool {
        switch outcome.stuck {
        case nil: return true
        case .value(let index), .limit(let index):
            guard let place = place(of: index) else { break }
            sensors[place].isStuck = true
            stuck.insert(sensors[place].name)
            return warnOfStuckThread(sensors[place].name)
        case .space(let path):
            stuckPaths.insert(path)
            return warnOfStuckThread("the file system of \(path)")
        case .discover: break
        }
        return warnOfStuckThread("a sensor")
    }

    @discardableResult
    private func warnOfStuckThread(_ what: String) -> Bool {
        let seconds = PreservationWording.oneDecimal(reader.patience.inSeconds)
        onWarning("\(what) has not answered within \(seconds) s: it is left out until the next reload")
        guard reader.stuckThreads >= SensorReader.mostStuckThreads else { return true }
        onHopeless()
        return false
    }

    private func submit(_ errands: [SensorReader.Errand], _ completion: @escaping (SensorReader.Outcome) -> Void) {
        do throws(SystemError) {
            try reader.submit(errands, completion)
        } catch {
            onWarning("sensors cannot be read: \(error)")
        }
    }

    private func place(of index: Int) -> Int? { sensors.firstIndex { $0.index == index } }
}

extension SensorSurvey.Kind {
    init(_ kind: hf_sensor_kind) {
        switch kind {
        case HF_FAN: self = .fan
        case HF_VOLTAGE: self = .voltage
        case HF_POWER: self = .power
        default: self = .temperature
        }
    }
}
