import SelfPreservation
import Testing

/// The shapes that heat has in the field, against the core and a whole tree: nothing flaps, no essential worker is
/// shed, nobody is judged hung because it was paused, and everything is back in the end.
struct ThermalTraceTests {
    private static let halfSecondsAMinute = 120

    /// Lets minutes pass; the surroundings go evenly from one temperature to the other.
    private func pass(
        minutes: Int, from start: Double, to end: Double, _ device: inout DeviceTree,
        reading: (Double) -> Double? = { $0 }
    ) {
        let steps = minutes * Self.halfSecondsAMinute
        for step in 0..<steps {
            let share = Double(step) / Double(steps)
            device.pass(ambient: start + (end - start) * share, reading: reading)
        }
    }

    private func expectCalm(_ device: inout DeviceTree) {
        pass(minutes: 20, from: 10, to: 10, &device)
        #expect(device.faults.isEmpty, "\(device.faults.prefix(3))")
        #expect(device.level == .normal)
        #expect(device.unready.isEmpty, "not back: \(device.unready)")
    }

    @Test func `a fast ramp is met by shedding, and everything comes back`() {
        var device = DeviceTree()
        pass(minutes: 1, from: 20, to: 70, &device)
        pass(minutes: 8, from: 70, to: 70, &device)
        #expect(!device.paused.isEmpty)
        #expect(device.highest < 90, "shedding did not help: \(device.highest) degrees")
        expectCalm(&device)
        #expect(device.transitions <= 8, "\(device.transitions) transitions")
    }

    @Test func `a slow soak sheds no more than it has to`() {
        var device = DeviceTree()
        pass(minutes: 40, from: 20, to: 50, &device)
        #expect(!device.paused.isEmpty)
        #expect(device.paused.count <= 3, "\(device.paused)")
        expectCalm(&device)
        #expect(device.transitions <= 12, "\(device.transitions) transitions")
    }

    @Test(arguments: [74.0, 75, 76]) func `an hour of flicker round the limit is two transitions at most`(limit: Double)
    {
        var device = DeviceTree()
        var second = 0
        pass(minutes: 60, from: 30, to: 30, &device) { _ in
            second += 1
            // Two degrees, in every rhythm from two seconds to a minute.
            let period = [2, 3, 7, 20, 60][second / 720 % 5]
            return limit + (second % period < (period + 1) / 2 ? 1 : -1)
        }
        let transitions = device.transitions
        // Up to throttling and to shedding, and no way back: the sensor's mean is the limit.
        #expect(transitions <= 2, "\(transitions) transitions")
        expectCalm(&device)
    }

    @Test func `a sensor that is lost at the peak holds what was decided, and then what was declared`() {
        var device = DeviceTree()
        pass(minutes: 8, from: 65, to: 65, &device)
        let paused = device.paused
        #expect(!paused.isEmpty)
        pass(minutes: 1, from: 65, to: 65, &device) { _ in nil }
        #expect(Set(device.paused).isSuperset(of: paused), "\(paused) became \(device.paused)")
        #expect(device.level == .shed)
        pass(minutes: 10, from: 20, to: 20, &device) { _ in nil }
        // Blind: the declared level throttles, and sheds nobody.
        #expect(device.level == .throttle)
        #expect(device.paused.isEmpty)
        expectCalm(&device)
    }

    @Test func `garbage of a broken sensor at the peak restores nobody`() {
        var device = DeviceTree()
        pass(minutes: 8, from: 65, to: 65, &device)
        let paused = device.paused
        for garbage in [Double.nan, 300, -273, .infinity] {
            pass(minutes: 0, from: 65, to: 65, &device)
            for _ in 0..<16 { device.pass(ambient: 65) { _ in garbage } }
        }
        #expect(!paused.isEmpty)
        #expect(Set(device.paused).isSuperset(of: paused))
        expectCalm(&device)
    }

    @Test func `a leap of the clock restores and sheds nobody by itself`() {
        var device = DeviceTree()
        pass(minutes: 8, from: 65, to: 65, &device)
        let paused = device.paused
        #expect(!paused.isEmpty)
        device.sleep(.seconds(7 * 3600))
        for _ in 0..<10 { device.pass(ambient: 65) { $0 } }
        #expect(Set(device.paused).isSuperset(of: paused), "\(paused) became \(device.paused)")
        #expect(device.level == .shed)
        expectCalm(&device)
    }

    @Test func `a monitor that is replaced every minute changes nothing of it`() {
        var device = DeviceTree()
        for minute in 0..<20 {
            let ambient = minute < 10 ? 62.0 : 66
            pass(minutes: 1, from: ambient, to: ambient, &device)
            device.replaceMonitor()
        }
        #expect(!device.paused.isEmpty)
        #expect(device.highest < 90)
        device.replaceMonitor()
        expectCalm(&device)
    }

    @Test func `a device that is critical keeps its essential workers alone`() {
        var device = DeviceTree()
        pass(minutes: 10, from: 95, to: 95, &device)
        #expect(device.level == .critical)
        #expect(Set(device.paused) == ["camera", "vision", "upload", "training"])
        expectCalm(&device)
    }
}
