extension SettingType<Duration> {
    static func duration(_ range: ClosedRange<Duration>) -> SettingType {
        SettingType(allowed: DurationText.words(range), write: { .duration($0) }) {
            value throws(TextMistake) in
            try DurationText.read(value, within: range)
        }
    }
}

extension SettingType<Duration?> {
    /// A duration, or a word for none.
    static func duration(_ range: ClosedRange<Duration>, or word: String) -> SettingType {
        SettingType(
            allowed: "\(DurationText.words(range)), or \(word.inQuotes)",
            write: { .string($0.map(DurationText.render) ?? word) }
        ) { value throws(TextMistake) in
            if value == .string(word) { return nil }
            return try DurationText.read(value, within: range)
        }
    }
}

extension SettingType<Int?> {
    /// A number, or a word for no limit.
    static func integer(_ range: ClosedRange<Int>, or word: String) -> SettingType {
        let number = SettingType<Int>.integer(range)
        let allowed = "\(number.allowed), or \(word.inQuotes)"
        return SettingType(allowed: allowed, form: .scalar, write: { $0.map { .integer(Int64($0)) } ?? .string(word) })
        {
            value throws(TextMistake) in
            if value == .string(word) { return nil }
            guard case .integer(let number) = value else { throw TextMistake(reason: "found \(value.inWords)") }
            guard let number = Int(exactly: number), range.contains(number) else {
                throw TextMistake(reason: "\(number) is out of range")
            }
            return number
        }
    }
}

extension SettingType<Int64> {
    static func size(_ range: ClosedRange<Int64>) -> SettingType {
        SettingType(allowed: SizeText.words(range), write: { .string(SizeText.render($0)) }) {
            value throws(TextMistake) in
            try SizeText.read(value, within: range)
        }
    }
}

extension SettingType<ResourceLimit.Value> {
    /// A count, or no limit.
    static func countLimit(_ range: ClosedRange<Int64>) -> SettingType {
        let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound), or \"unlimited\""
        return limit(allowed: allowed, form: .scalar, write: { .integer($0) }) { value throws(TextMistake) in
            guard case .integer(let number) = value else { throw TextMistake(reason: "found \(value.inWords)") }
            guard range.contains(number) else { throw TextMistake(reason: "\(number) is out of range") }
            return number
        }
    }

    /// A size in bytes, or no limit.
    static func sizeLimit(_ range: ClosedRange<Int64>) -> SettingType {
        limit(allowed: "\(SizeText.words(range)), or \"unlimited\"", write: { .string(SizeText.render($0)) }) {
            value throws(TextMistake) in
            try SizeText.read(value, within: range)
        }
    }

    /// Whole seconds of processor time, or no limit.
    static func secondsLimit(_ range: ClosedRange<Duration>) -> SettingType {
        limit(
            allowed: "\(DurationText.words(range)) in whole seconds, or \"unlimited\"",
            write: { .string(DurationText.render(.seconds($0))) }
        ) { value throws(TextMistake) in
            let duration = try DurationText.read(value, within: range)
            guard duration.components.attoseconds == 0 else {
                throw TextMistake(reason: "\(DurationText.render(duration).inQuotes) is not in whole seconds")
            }
            return duration.components.seconds
        }
    }

    private static func limit(
        allowed: String, form: OverrideForm = .text, write: @escaping @Sendable (Int64) -> TOMLValue,
        _ parse: @escaping @Sendable (TOMLValue) throws(TextMistake) -> Int64
    ) -> SettingType {
        SettingType(
            allowed: allowed, form: form,
            write: {
                switch $0 {
                case .atMost(let number): write(Int64(clamping: number))
                case .unlimited: .string("unlimited")
                }
            }
        ) { value throws(TextMistake) in
            value == .string("unlimited") ? .unlimited : .atMost(UInt64(try parse(value)))
        }
    }
}

extension DurationText {
    static func words(_ range: ClosedRange<Duration>) -> String {
        "a duration such as \"250ms\", \"5s\" or \"1h30m\", from \(render(range.lowerBound)) to "
            + render(range.upperBound)
    }

    static func read(_ value: TOMLValue, within range: ClosedRange<Duration>) throws(TextMistake) -> Duration {
        guard case .string(let text) = value else { throw TextMistake(reason: "found \(value.inWords)") }
        let duration: Duration
        do throws(TextMistake) { duration = try parse(text) } catch {
            throw TextMistake(reason: "\(text.quoted) \(error.reason)")
        }
        if duration < range.lowerBound { throw TextMistake(reason: "\(text.quoted) is too short") }
        if duration > range.upperBound { throw TextMistake(reason: "\(text.quoted) is too long") }
        return duration
    }
}

extension SizeText {
    static func words(_ range: ClosedRange<Int64>) -> String {
        "a size such as \"256K\", \"64M\" or \"1G\", from \(render(range.lowerBound)) to \(render(range.upperBound))"
    }

    static func read(_ value: TOMLValue, within range: ClosedRange<Int64>) throws(TextMistake) -> Int64 {
        guard case .string(let text) = value else { throw TextMistake(reason: "found \(value.inWords)") }
        let bytes: Int64
        do throws(TextMistake) { bytes = try parse(text) } catch {
            throw TextMistake(reason: "\(text.quoted) \(error.reason)")
        }
        if bytes < range.lowerBound { throw TextMistake(reason: "\(text.quoted) is too small") }
        if bytes > range.upperBound { throw TextMistake(reason: "\(text.quoted) is too large") }
        return bytes
    }
}
