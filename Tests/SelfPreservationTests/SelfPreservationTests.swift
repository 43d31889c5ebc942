import MonotonicTime
import Testing

@testable import SelfPreservation

struct SelfPreservationTests {
    @Test func `what is cool changes nothing`() {
        var trace = Trace()
        trace.hold(65, seconds: 100)
        #expect(trace.actions.isEmpty)
        #expect(trace.core.level == .normal)
    }

    @Test func `each threshold has its level, at the first value that reaches it`() {
        var trace = Trace()
        trace.heat([69.9, 70, 74.9, 75, 89.9, 90])
        #expect(trace.levels == [.throttle, .shed, .critical])
        #expect(trace.actions.first { $0.action == .throttle(true) }?.second == 2)
    }

    @Test func `without any sensor the declared level goes all the way`() {
        var policy = Trace.policy
        policy.blindLevel = .shed
        var trace = Trace(policy)
        trace.hold(60, seconds: 3)
        trace.pass(seconds: 75)
        #expect(trace.core.level == .shed)
        trace.pass(seconds: 15)
        #expect(trace.shed == ["a", "b", "c"])
        trace.hold(60, seconds: 90)
        #expect(trace.restored == ["c", "b", "a"])
    }

    @Test func `workers go one at a time, until it helps`() {
        var trace = Trace()
        trace.hold(76, seconds: 1)
        #expect(trace.shed == ["a"])
        trace.hold(76, seconds: 4)
        #expect(trace.shed == ["a"], "it may help yet")
        trace.hold(76, seconds: 1)
        #expect(trace.shed == ["a", "b"])
        trace.heat(stride(from: 75.9, to: 70, by: -0.1))
        #expect(trace.shed == ["a", "b"], "it helps")
        trace.hold(70, seconds: 20)
        #expect(trace.shed == ["a", "b"], "between the thresholds it is enough")
        trace.hold(75, seconds: 6)
        #expect(trace.shed == ["a", "b", "c"], "it has ceased to help")
    }

    @Test func `they come back in reverse, one at a time, after the dwell`() {
        var trace = Trace()
        trace.hold(76, seconds: 20)
        #expect(trace.shed == ["a", "b", "c"])
        trace.forget()
        trace.hold(60, seconds: 30)
        #expect(trace.restored.isEmpty)
        trace.hold(60, seconds: 1)
        #expect(trace.restored == ["c"])
        trace.hold(60, seconds: 10)
        #expect(trace.restored == ["c", "b"])
        trace.hold(60, seconds: 10)
        #expect(trace.restored == ["c", "b", "a"])
        #expect(trace.core.level == .normal)
        #expect(trace.actions.contains { $0.action == .throttle(false) })
    }

    @Test func `at the critical level all go at once`() {
        var trace = Trace()
        trace.heat([91])
        #expect(trace.shed == ["a", "b", "c"])
        #expect(trace.actions.allSatisfy { $0.second == 1 || $0.second == 0 })
        trace.send(.workersChanged(["a", "b", "c", "d"].map { SheddableWorker(name: $0, order: 0) }))
        #expect(trace.shed == ["a", "b", "c", "d"], "who comes now goes as well")
    }

    @Test(arguments: [75.0, 68, 70, 66, 90, 80])
    func `two degrees of flicker round any threshold for an hour change the level twice at most`(limit: Double) {
        var trace = Trace()
        trace.heat((0..<3600).map { limit + ($0 % 2 == 0 ? 1 : -1) })
        #expect(trace.levels.count <= 2, "\(trace.levels)")
        #expect(trace.restored.isEmpty)
    }

    @Test func `among equals the one that heats most goes first`() {
        var trace = Trace()
        trace.send(
            .workersChanged([
                SheddableWorker(name: "idle", order: 5, use: 0.01), SheddableWorker(name: "busy", order: 5, use: 0.9),
                SheddableWorker(name: "early", order: 1),
            ]))
        trace.hold(80, seconds: 12)
        #expect(trace.shed == ["early", "busy", "idle"])
    }

    @Test func `whom memory has paused is not paused for heat, and heat does not bring him back`() {
        var policy = Trace.policy
        policy.quantities[.memoryPressure] = LadderPolicy(
            [.shed: Threshold(enter: 20, leave: 5)], dwell: .seconds(10))
        policy.shedInterval = .seconds(1000)
        var trace = Trace(policy)
        trace.send(.measured(.memoryPressure, 30))
        #expect(trace.actions.map(\.action).contains(.shed("a", .memory)))
        trace.hold(76, seconds: 1)
        #expect(trace.actions.map(\.action).contains(.shed("b", .heat)))
        trace.hold(50, seconds: 60)
        #expect(trace.restored == ["b"])
        trace.send(.measured(.memoryPressure, 0))
        trace.pass(seconds: 9)
        trace.send(.measured(.memoryPressure, 0))
        #expect(trace.restored == ["b"])
        trace.pass(seconds: 1)
        trace.send(.measured(.memoryPressure, 0))
        #expect(trace.restored == ["b", "a"])
    }

    @Test func `who is no longer there, or essential by now, is nobody's to bring back`() {
        var trace = Trace()
        trace.hold(91, seconds: 1)
        trace.send(.workersChanged([SheddableWorker(name: "b", order: 0)]))
        trace.forget()
        trace.hold(50, seconds: 200)
        #expect(trace.restored == ["b"])
    }

    @Test func `a chip's own limit counts where it is lower`() {
        var policy = Trace.policy
        policy.belowLimit = LadderPolicy([.shed: Threshold(enter: -5, leave: -12)], dwell: .seconds(30))
        var trace = Trace(policy)
        trace.heat([66], limit: 70)
        #expect(trace.core.level == .shed)
        trace = Trace(policy)
        trace.heat([76], limit: 100)
        #expect(trace.core.level == .shed, "what the rules say in degrees holds too")
    }

    @Test(arguments: [-41, 151, .nan, .infinity, -.infinity] as [Double])
    func `what no sensor can mean is discarded and told once`(value: Double) {
        var trace = Trace()
        trace.hold(60, seconds: 1)
        trace.hold(value, seconds: 5)
        #expect(trace.actions.map(\.action) == [.sensorFailed("cpu", .implausible), .allSensorsLost])
        #expect(trace.core.status.sensors[0].celsius == 60)
        trace.hold(61, seconds: 1)
        #expect(trace.actions.last?.action == .sensorRecovered("cpu"))
    }

    @Test func `a sensor that is lost at the peak holds its level, and then what was declared holds`() {
        var trace = Trace()
        trace.hold(76, seconds: 20)
        trace.forget()
        trace.pass(seconds: 10)
        #expect(trace.actions.map(\.action) == [.sensorFailed("cpu", .silent), .allSensorsLost])
        trace.pass(seconds: 59)
        #expect(trace.core.level == .shed)
        #expect(trace.restored.isEmpty)
        trace.pass(seconds: 1)
        #expect(trace.core.level == .throttle)
        trace.pass(seconds: 30)
        #expect(trace.restored == ["c", "b", "a"])
        trace.hold(80, seconds: 1)
        #expect(trace.core.level == .shed, "it is back, and hot")
    }

    @Test func `one sensor of two that is lost is told of and no more`() {
        var trace = Trace()
        for _ in 0..<100 {
            trace.heat([60], sensor: "other")
            if trace.second < 5 { trace.heat([60]) }
        }
        #expect(trace.actions.map(\.action) == [.sensorFailed("cpu", .silent)])
        #expect(trace.core.level == .normal)
    }

    @Test func `the same value for too long is no measurement, where that was asked for`() {
        var policy = Trace.policy
        policy.frozenAfter = .seconds(60)
        var trace = Trace(policy)
        trace.hold(60, seconds: 61)
        #expect(trace.actions.map(\.action).contains(.sensorFailed("cpu", .frozen)))
        trace = Trace()
        trace.hold(60, seconds: 3600)
        #expect(trace.actions.isEmpty)
    }

    @Test func `whom a monitor before this one has shed stays so until it is known that it is cool`() {
        var trace = Trace(shed: [.heat: ["a", "b"]])
        trace.pass(seconds: 50)
        #expect(trace.restored.isEmpty)
        trace.hold(60, seconds: 1)
        #expect(trace.restored == ["b"])
        trace.hold(60, seconds: 10)
        #expect(trace.restored == ["b", "a"])
    }

    @Test func `a wall of heat that is foreseen is met early`() {
        var policy = Trace.policy
        policy.forecast = ForecastPolicy(horizon: .seconds(10), tolerance: 3)
        var (early, late) = (Trace(policy), Trace())
        let ramp = Array(repeating: 50.0, count: 60) + stride(from: 50.0, to: 76, by: 0.5)
        early.heat(ramp)
        late.heat(ramp)
        let (first, second) = (
            early.actions.first { $0.action == .shed("a", .heat) },
            late.actions.first { $0.action == .shed("a", .heat) }
        )
        #expect((second?.second ?? 0) - (first?.second ?? .max) >= 5)
        let forecast = early.core.status.sensors[0].forecast
        #expect((forecast?.meanError ?? .infinity) < 3)
    }

    @Test func `a forecast that was wrong is ignored`() {
        var policy = Trace.policy
        policy.forecast = ForecastPolicy(horizon: .seconds(10), tolerance: 3)
        var trace = Trace(policy)
        // Up steeply and down again, always below the threshold.
        for _ in 0..<20 {
            trace.heat(stride(from: 40.0, to: 64, by: 3))
            trace.heat(stride(from: 64.0, to: 40, by: -3))
        }
        #expect(trace.core.status.sensors[0].forecast?.isTrusted == false)
        trace.forget()
        trace.heat(stride(from: 40.0, to: 65, by: 3))
        #expect(trace.shed.isEmpty)
    }

    @Test func `the next deadline is when time alone changes something`() {
        var trace = Trace()
        #expect(trace.core.nextDeadline == nil)
        trace.hold(60, seconds: 1)
        #expect(trace.core.nextDeadline == .zero + .seconds(11), "silent")
        trace.hold(76, seconds: 1)
        #expect(trace.core.nextDeadline == .zero + .seconds(7), "the next worker")
    }

    @Test func `a lost sensor is told of once, whatever becomes of its silence`() {
        var trace = Trace()
        trace.hold(60, seconds: 1)
        for _ in 0..<100 {
            trace.hold(.nan, seconds: 1)
            trace.pass(seconds: 30)
        }
        let news = trace.actions.map(\.action).filter { $0 == .allSensorsLost || $0 == .sensorFailed("cpu", .silent) }
        #expect(trace.actions.first?.action == .sensorFailed("cpu", .implausible))
        #expect(news == [.allSensorsLost])
    }

    @Test func `a sensor that is there and never says anything is told of as well`() {
        var trace = Trace()
        trace.send(.sensorFound("cpu"))
        trace.send(.sensorFound("other"))
        trace.heat([50], sensor: "other")
        trace.pass(seconds: 9)
        #expect(trace.actions.map(\.action) == [.sensorFailed("cpu", .silent)])
        trace.send(.sensorIgnored("cpu"))
        #expect(trace.core.status.sensors.map(\.name) == ["other"])
    }

    @Test func `nobody comes back before every sensor there is has been heard`() {
        var trace = Trace(shed: [.heat: ["a", "b"]])
        trace.send(.sensorFound("cpu"))
        trace.send(.sensorFound("other"))
        trace.heat([50], sensor: "other")
        #expect(trace.restored.isEmpty)
        #expect(trace.core.status.causes[0].nextRestore == .zero + .seconds(60))
        trace.hold(50, seconds: 1)
        #expect(trace.restored == ["b"])
    }

    @Test func `between the thresholds whom a monitor before this one has shed stays so, and nobody else goes`() {
        var trace = Trace(shed: [.heat: ["a"]])
        trace.send(.sensorFound("cpu"))
        trace.hold(70, seconds: 100)
        #expect(trace.core.level == .shed)
        #expect(trace.restored.isEmpty && trace.shed.isEmpty)
        trace.hold(60, seconds: 31)
        #expect(trace.restored == ["a"])
    }

    @Test func `the same holds for pressure, once all of it is known`() {
        var policy = Trace.policy
        policy.quantities[.memoryPressure] = LadderPolicy([.shed: Threshold(enter: 40, leave: 10)], dwell: .seconds(30))
        policy.quantities[.load] = LadderPolicy([.shed: Threshold(enter: 4, leave: 2)], dwell: .seconds(30))
        policy.quantities[.fileSystem("/")] = LadderPolicy(
            [.shed: Threshold(enter: 95, leave: 90)], dwell: .seconds(30))
        var trace = Trace(policy, shed: [.memory: ["a"], .pressure: ["b"]])
        trace.send(.measured(.memoryPressure, 20))
        trace.send(.measured(.load, 1))
        trace.pass(seconds: 20)
        #expect(trace.restored.isEmpty)
        #expect(trace.core.status.causes.map(\.level) == [.normal, .shed, .normal])
        trace.send(.measured(.fileSystem("/"), 50))
        #expect(trace.restored == ["b"])
    }

    @Test func `what is not measured any more does not hold for ever`() {
        var policy = Trace.policy
        policy.quantities[.fileSystem("/")] = LadderPolicy(
            [.shed: Threshold(enter: 95, leave: 90)], dwell: .seconds(30))
        var trace = Trace(policy)
        trace.send(.measured(.fileSystem("/"), 99))
        #expect(trace.shed == ["a"])
        #expect(trace.core.status.gauges[0].threshold == 95)
        trace.pass(seconds: 69)
        #expect(trace.core.level == .shed)
        trace.pass(seconds: 1)
        #expect(trace.core.level == .normal)
        #expect(trace.restored.first == trace.shed.last)
    }

    @Test func `the status says when the next goes, when the level is left and when the next comes back`() {
        var trace = Trace()
        trace.hold(76, seconds: 1)
        #expect(trace.core.status.causes[0].nextShed == .zero + .seconds(6))
        #expect(trace.core.status.causes[0].relief == nil)
        #expect(trace.core.status.sensors[0].threshold == 75)
        trace.hold(60, seconds: 1)
        #expect(trace.core.status.causes[0].nextShed == nil, "it is cool enough")
        #expect(trace.core.status.causes[0].relief == .zero + .seconds(32))
        #expect(trace.core.status.causes[0].nextRestore == .zero + .seconds(32))
        trace.hold(69, seconds: 1)
        #expect(trace.core.status.causes[0].nextRestore == nil, "not any more")
        trace.hold(76, seconds: 20)
        trace.hold(60, seconds: 31)
        #expect(trace.restored.count == 1)
        #expect(trace.core.status.causes[0].level == .normal)
        #expect(trace.core.status.causes[0].nextRestore == .zero + .seconds(trace.second + 10))
    }

    @Test func `what was learnt outlives a reload`() {
        var policy = Trace.policy
        var trace = Trace(policy)
        trace.hold(76, seconds: 20)
        trace.forget()
        policy.forecast = ForecastPolicy(horizon: .seconds(10), tolerance: 3)
        policy.frozenAfter = .seconds(600)
        trace.send(.policyChanged(policy))
        #expect(trace.actions.isEmpty)
        #expect(trace.core.level == .shed)
    }
}
