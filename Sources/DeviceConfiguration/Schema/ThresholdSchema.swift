/// The four keys that say from which value on a quantity asks for a level.
struct ThresholdSchema: Sendable {
    /// Which way the quantity gets worse.
    enum Direction: Sendable {
        /// A larger value is worse: "pause_at".
        case rising
        /// Counted from a limit downwards, so that a smaller value is worse: "pause_margin".
        case margin
    }

    let direction: Direction
    let throttle: DefaultedSetting<Double?>
    let pause: DefaultedSetting<Double?>
    let critical: DefaultedSetting<Double?>
    let resume: DefaultedSetting<Double?>

    var settings: [SettingDescription] {
        [throttle.description, pause.description, critical.description, resume.description]
    }

    /// What the keys begin to mean at a certain value.
    struct Defaults {
        var throttle: Double?
        var pause: Double?
        var critical: Double?
        var resume: Double?
    }

    /// - Parameters:
    ///   - unit: in the words that follow the values: "in degrees Celsius".
    ///   - resumeWithout: what holds when the last key is "off".
    init(
        _ direction: Direction, _ range: ClosedRange<Double>, _ unit: String, defaults: Defaults = Defaults(),
        resumeWithout: String
    ) {
        self.direction = direction
        let type = SettingType<Double?>.number(range, or: "off")
        func setting(
            _ rising: String, _ margin: String, _ value: Double?, _ meaning: String, _ misnomers: [String]
        ) -> DefaultedSetting<Double?> {
            Setting.optional(
                direction == .rising ? rising : margin, type, default: value, "\(meaning), \(unit)\(direction.words).",
                misnomers: misnomers)
        }
        throttle = setting(
            "throttle_at", "throttle_margin", defaults.throttle, "When workers get less of the processor",
            ["warn_at", "throttle"])
        pause = setting(
            "pause_at", "pause_margin", defaults.pause,
            "When workers that are not essential are paused, one at a time", ["shed_at", "pause", "high", "max"])
        critical = setting(
            "critical_at", "critical_margin", defaults.critical, "When all of them are paused at once",
            ["crit_at", "critical", "crit"])
        resume = Setting.optional(
            direction == .rising ? "resume_below" : "resume_margin", type, default: defaults.resume,
            "When they come back, one at a time, \(unit)\(direction.words); \"off\" for \(resumeWithout).",
            misnomers: ["resume_at", "restore_below", "resume"])
    }
}

extension ThresholdSchema.Direction {
    fileprivate var words: String { self == .rising ? "" : " below the limit that the chip or the zone names" }
}
