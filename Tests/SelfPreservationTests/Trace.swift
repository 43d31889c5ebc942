import MonotonicTime

@testable import SelfPreservation

/// A core that is fed a temperature a second, and what it did.
struct Trace {
    static let policy = PreservationPolicy(
        temperature: LadderPolicy(
            [
                .throttle: Threshold(enter: 70, leave: 66), .shed: Threshold(enter: 75, leave: 68),
                .critical: Threshold(enter: 90, leave: 80),
            ], dwell: .seconds(30)),
        shedInterval: .seconds(5), restoreInterval: .seconds(10))

    var core: SelfPreservation
    var second = 0
    var actions: [(second: Int, action: Action)] = []

    init(_ policy: PreservationPolicy = policy, shed: [Cause: [String]] = [:], workers: [String] = ["a", "b", "c"]) {
        core = SelfPreservation(policy, shed: shed, at: .zero)
        let sheddable = workers.enumerated().map { SheddableWorker(name: $0.element, order: $0.offset) }
        send(.workersChanged(sheddable))
    }

    mutating func send(_ event: Event) {
        actions += core.handle(event, at: .zero + .seconds(second)).map { (second, $0) }
    }

    /// The value at each of the coming seconds.
    mutating func heat(_ values: some Sequence<Double>, sensor: String = "cpu", limit: Double? = nil) {
        for value in values {
            second += 1
            send(.temperature(sensor: sensor, celsius: value, limit: limit))
        }
    }

    mutating func hold(_ celsius: Double, seconds: Int) {
        heat(repeatElement(celsius, count: seconds))
    }

    /// Nothing is measured.
    mutating func pass(seconds: Int) {
        for _ in 0..<seconds {
            second += 1
            send(.deadlineReached)
        }
    }

    var shed: [String] { actions.compactMap { if case .shed(let name, _) = $0.action { name } else { nil } } }
    var restored: [String] { actions.compactMap { if case .restore(let name, _) = $0.action { name } else { nil } } }
    var levels: [Level] {
        actions.compactMap { if case .levelChanged(_, _, let level) = $0.action { level } else { nil } }
    }

    mutating func forget() {
        actions = []
    }
}
