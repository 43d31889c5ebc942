import SelfPreservation

/// The thresholds of one quantity being read: their order is checked, and ladders are made of them.
struct ThresholdDraft {
    private struct Rung {
        var key: String
        var value: Double
        var isGiven: Bool
        /// A larger one is worse, whichever way the key counts.
        var badness: Double
    }

    private let schema: ThresholdSchema
    private let table: TableReader
    private let problems: ProblemCollector
    private let throttle: Rung?
    private let pause: Rung?
    private let critical: Rung?
    private let resume: Rung?

    init(_ schema: ThresholdSchema, _ table: TableReader, _ problems: ProblemCollector) {
        self.schema = schema
        self.table = table
        self.problems = problems
        func rung(_ setting: DefaultedSetting<Double?>) -> Rung? {
            table.value(setting).map {
                Rung(
                    key: setting.setting.name, value: $0, isGiven: table.has(setting.setting.name),
                    badness: schema.direction == .rising ? $0 : -$0)
            }
        }
        throttle = rung(schema.throttle)
        pause = rung(schema.pause)
        critical = rung(schema.critical)
        resume = rung(schema.resume)
        checkOrder()
    }

    var isEmpty: Bool { throttle == nil && pause == nil && critical == nil }

    /// From the mildest to the worst.
    private var rungs: [Rung] { [resume, throttle, pause, critical].compactMap(\.self) }

    private func checkOrder() {
        for (lower, upper) in zip(rungs, rungs.dropFirst()) {
            let isResume = lower.key == schema.resume.setting.name
            guard isResume ? lower.badness >= upper.badness : lower.badness > upper.badness else { continue }
            let key = upper.isGiven ? upper.key : lower.isGiven ? lower.key : upper.key
            problems.add(
                table.place(of: key), table.table.path(of: key),
                "\(words(upper)) does not go with \(words(lower))", allowed: allowed)
        }
    }

    private func words(_ rung: Rung) -> String {
        "\(rung.key) = \(rung.value)" + (rung.isGiven ? "" : " (the default)")
    }

    private var allowed: String {
        let (throttle, pause) = (schema.throttle.setting.name, schema.pause.setting.name)
        let (critical, resume) = (schema.critical.setting.name, schema.resume.setting.name)
        return schema.direction == .rising
            ? "\(resume) below \(throttle), \(throttle) up to \(pause), and \(pause) up to \(critical)"
            : "\(resume) above \(throttle), \(throttle) down to \(pause), and \(pause) down to \(critical)"
    }

    /// Reports a way back from nowhere.
    func checkResume(isForPausedOnly: Bool) {
        guard let resume, resume.isGiven, isForPausedOnly ? pause == nil : isEmpty else { return }
        let others =
            isForPausedOnly
            ? schema.pause.setting.name
            : "\(schema.throttle.setting.name), \(schema.pause.setting.name) or \(schema.critical.setting.name)"
        problems.add(
            table.place(of: resume.key), table.table.path(of: resume.key),
            "has no meaning without \(others); set that as well, or remove this")
    }

    /// Temperatures: each level has a way back of its own, so that what comes back is not shed again at once.
    func ladder(hysteresis: Double, dwell: Duration) -> LadderPolicy {
        var thresholds: [Level: Threshold] = [:]
        for (level, rung) in [(Level.throttle, throttle), (.critical, critical)] {
            guard let rung else { continue }
            thresholds[level] = Threshold(enter: rung.badness, leave: rung.badness - hysteresis)
        }
        if let pause {
            thresholds[.shed] = Threshold(enter: pause.badness, leave: resume?.badness ?? pause.badness - hysteresis)
        }
        return LadderPolicy(thresholds, dwell: dwell)
    }

    /// Other quantities: one way back from all levels.
    func ladder(dwell: Duration) -> LadderPolicy {
        var thresholds: [Level: Threshold] = [:]
        let rungs = [(Level.throttle, throttle), (.shed, pause), (.critical, critical)]
        let lowest = rungs.compactMap { $0.1?.badness }.min() ?? 0
        for (level, rung) in rungs {
            guard let rung else { continue }
            thresholds[level] = Threshold(enter: rung.badness, leave: resume?.badness ?? lowest * 0.9)
        }
        return LadderPolicy(thresholds, dwell: dwell)
    }
}
