import MonotonicTime
import SeededRandom
import TestSupport
import Testing

@testable import SelfPreservation

/// A device that is heated by its workers and by its surroundings, against the core, over random schedules.
struct ThermalSimulationTests {
    @Test(arguments: 0..<50 as Range<UInt64>)
    func `nobody is shed twice or restored who was not, and everything is back in the end`(seed: UInt64) {
        var device = Device(seed: seed)
        for _ in 0..<3600 { device.step() }
        #expect(device.faults.isEmpty, "seed \(seed): \(device.faults.prefix(3))")
        // Up to three for each of some twenty changes of the weather and of the sensor.
        #expect(device.transitions <= 40, "seed \(seed)")
        device.settle(ambient: 10)
        for _ in 0..<3600 { device.step() }
        #expect(device.faults.isEmpty, "seed \(seed): \(device.faults.prefix(3))")
        #expect(device.paused.isEmpty, "seed \(seed): still paused: \(device.paused)")
        #expect(device.core.level == .normal, "seed \(seed)")
        #expect(!device.isThrottled, "seed \(seed)")
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `a device that is too hot with all of its work goes to and fro ever less`(seed: UInt64) {
        var device = Device(seed: seed)
        device.settle(ambient: Double(seed % 50))
        var hours: [Int] = []
        for _ in 0..<3 {
            device.transitions = 0
            for _ in 0..<3600 { device.step() }
            hours.append(device.transitions)
        }
        #expect(hours[0] <= 24 && hours[1] <= 12 && hours[2] <= 12, "seed \(seed): \(hours)")
    }

    private struct Device {
        var core: SelfPreservation
        var chance: SeededGenerator
        var now = MonotonicInstant.zero
        var temperature = 45.0
        var ambient = 30.0
        var isLost = false
        var isCalm = false
        var paused: [String: Set<Cause>] = [:]
        var isThrottled = false
        var transitions = 0
        var faults: [String] = []
        let names: [String]
        let heat: [String: Double]

        init(seed: UInt64) {
            chance = SeededGenerator(seed: seed)
            names = (0..<Int.random(in: 1...12, using: &chance)).map { "w\($0)" }
            var heat: [String: Double] = [:]
            for name in names { heat[name] = Double.random(in: 0...6, using: &chance) }
            self.heat = heat
            var policy = Trace.policy
            if Bool.random(using: &chance) { policy.forecast = ForecastPolicy(horizon: .seconds(20), tolerance: 3) }
            core = SelfPreservation(policy, at: now)
            let workers = names.map {
                SheddableWorker(name: $0, order: Int.random(in: 0...3, using: &chance), use: heat[$0] ?? 0)
            }
            perform(core.handle(.workersChanged(workers), at: now))
        }

        /// From now on the weather stays, and the sensor works.
        mutating func settle(ambient: Double) {
            (isCalm, isLost, self.ambient) = (true, false, ambient)
        }

        mutating func step() {
            // Now and then nothing is heard for a while: the machine slept, or the monitor was hung.
            let gap = !isCalm && Int.random(in: 0..<500, using: &chance) == 0
            now = now + .seconds(gap ? Int.random(in: 2...120, using: &chance) : 1)
            if !isCalm, Int.random(in: 0..<300, using: &chance) == 0 {
                ambient = Double.random(in: 10...60, using: &chance)
            }
            if !isCalm, Int.random(in: 0..<400, using: &chance) == 0 { isLost.toggle() }
            let load = names.filter { paused[$0, default: []].isEmpty }.reduce(0) { $0 + (heat[$1] ?? 0) }
            temperature += (ambient + load * (isThrottled ? 0.8 : 1) - temperature) / 40
            let noise = Double.random(in: -1...1, using: &chance)
            perform(
                isLost
                    ? core.handle(.deadlineReached, at: now)
                    : core.handle(.temperature(sensor: "cpu", celsius: temperature + noise, limit: nil), at: now))
            if let deadline = core.nextDeadline, deadline <= now { faults.append("a deadline in the past") }
        }

        mutating func perform(_ actions: [Action]) {
            for action in actions {
                switch action {
                case .shed(let name, let cause):
                    if !names.contains(name) { faults.append("\(name) is nobody's") }
                    if !paused[name, default: []].insert(cause).inserted { faults.append("\(name) is shed twice") }
                case .restore(let name, let cause):
                    if paused[name]?.remove(cause) == nil { faults.append("\(name) was not shed") }
                    if paused[name]?.isEmpty == true { paused[name] = nil }
                case .throttle(let isOn):
                    if isOn == isThrottled { faults.append("throttled twice") }
                    isThrottled = isOn
                case .levelChanged(_, let from, let to):
                    if from == to { faults.append("no change") }
                    transitions += 1
                case .sensorFailed, .sensorRecovered, .allSensorsLost: break
                }
            }
        }
    }
}
