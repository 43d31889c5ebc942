import Supervision

extension SettingType<String> {
    /// Any text of at most `limit` bytes.
    static func text(_ allowed: String, limit: Int = 32_768) -> SettingType {
        SettingType(allowed: allowed, write: { .string($0) }) { value throws(TextMistake) in
            let text = try value.text()
            guard !text.isEmpty else { throw TextMistake(reason: "is empty") }
            guard text.utf8.count <= limit else { throw TextMistake(reason: "has more than \(limit) bytes") }
            return text
        }
    }

    /// The name of a worker, a supervisor or the runtime.
    static let childName = SettingType(allowed: "a name of \(ChildName.allowed)", write: { .string($0) }) {
        value throws(TextMistake) in
        let text = try value.text()
        guard ChildName.isWellFormed(text) else { throw TextMistake(reason: "\(text.quoted) is not a name") }
        return text
    }

    /// The name of a user or group, as far as it can be judged without asking the machine.
    static func account(_ what: String) -> SettingType {
        SettingType(allowed: "the name of a \(what)", write: { .string($0) }) { value throws(TextMistake) in
            let text = try value.text()
            let isPlausible = !text.isEmpty && text.utf8.count <= 256 && !text.contains { ":/\n ".contains($0) }
            guard isPlausible else { throw TextMistake(reason: "\(text.quoted) is not the name of a \(what)") }
            return text
        }
    }

    static let absolutePath = SettingType(allowed: "an absolute path", write: { .string($0) }) {
        value throws(TextMistake) in
        let text = try value.text()
        guard text.hasPrefix("/") else { throw TextMistake(reason: "\(text.quoted) is not an absolute path") }
        // PATH_MAX, with the terminating byte.
        guard text.utf8.count < 4096 else { throw TextMistake(reason: "has more than 4095 bytes") }
        return text
    }

    /// An absolute path without "..", and without slashes that change nothing.
    static let plainPath = SettingType(allowed: "an absolute path without \"..\"", write: { .string($0) }) {
        value throws(TextMistake) in
        let text = try value.text()
        guard text.hasPrefix("/") else { throw TextMistake(reason: "\(text.quoted) is not an absolute path") }
        guard text.utf8.count < 4096 else { throw TextMistake(reason: "has more than 4095 bytes") }
        let parts = text.split(separator: "/").filter { $0 != "." }
        guard !parts.contains("..") else { throw TextMistake(reason: "\(text.quoted) leads up again") }
        return "/" + parts.joined(separator: "/")
    }
}

extension SettingType<Bool> {
    static let boolean = SettingType(allowed: "true or false", form: .scalar, write: { .boolean($0) }) {
        value throws(TextMistake) in
        guard case .boolean(let truth) = value else { throw TextMistake(reason: "found \(value.inWords)") }
        return truth
    }
}

extension SettingType<Int> {
    static func integer(_ range: ClosedRange<Int>) -> SettingType {
        let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return SettingType(allowed: allowed, form: .scalar, write: { .integer(Int64($0)) }) {
            value throws(TextMistake) in
            guard case .integer(let number) = value else { throw TextMistake(reason: "found \(value.inWords)") }
            guard let number = Int(exactly: number), range.contains(number) else {
                throw TextMistake(reason: "\(number) is out of range")
            }
            return number
        }
    }
}

extension SettingType<Double> {
    /// A share from 0 to 1.
    static let share = SettingType.number(0...1)

    static func number(_ range: ClosedRange<Double>) -> SettingType {
        SettingType(allowed: range.asNumbers, form: .scalar, write: { .float($0) }) { value throws(TextMistake) in
            try value.number(in: range)
        }
    }
}

extension SettingType<Double?> {
    /// A number, or a word for none.
    static func number(_ range: ClosedRange<Double>, or word: String) -> SettingType {
        SettingType(
            allowed: "\(range.asNumbers), or \(word.inQuotes)", form: .scalar,
            write: { $0.map { .float($0) } ?? .string(word) }
        ) { value throws(TextMistake) in
            if value == .string(word) { return nil }
            return try value.number(in: range)
        }
    }
}

extension ClosedRange<Double> {
    fileprivate var asNumbers: String { "a number from \(lowerBound) to \(upperBound)" }
}

extension TOMLValue {
    fileprivate func number(in range: ClosedRange<Double>) throws(TextMistake) -> Double {
        let number: Double
        switch self {
        case .float(let float): number = float
        case .integer(let integer): number = Double(integer)
        default: throw TextMistake(reason: "found \(inWords)")
        }
        // Refuses what is no number as well.
        guard range.contains(number) else { throw TextMistake(reason: "\(number) is out of range") }
        return number
    }
}

extension SettingType<UInt32> {
    /// A file mode mask, written as an octal string.
    static let fileModeMask = SettingType(
        allowed: "a string of 3 or 4 octal digits such as \"0027\"",
        write: { .string("0\(String($0 + 0o1000, radix: 8).dropFirst())") }
    ) { value throws(TextMistake) in
        let text = try value.text()
        guard (3...4).contains(text.utf8.count), let mask = UInt32(text, radix: 8), mask <= 0o777,
            text.utf8.first != UInt8(ascii: "+")
        else { throw TextMistake(reason: "\(text.quoted) is not a file mode mask") }
        return mask
    }
}

extension SettingType where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration.
    static func choice(_: Value.Type = Value.self) -> SettingType {
        let words = Value.allCases.map(\.rawValue)
        return SettingType(allowed: words.alternatives, write: { .string($0.rawValue) }) { value throws(TextMistake) in
            let text = try value.text()
            guard let choice = Value(rawValue: text) else { throw TextMistake(reason: text.notOne(of: words)) }
            return choice
        }
    }
}

extension SettingType<Signal> {
    static func signal(_ names: [String]) -> SettingType {
        SettingType(allowed: names.alternatives, write: { .string(SignalName.render($0)) }) {
            value throws(TextMistake) in
            let text = try value.text()
            guard names.contains(text), let signal = SignalName.signal(named: text) else {
                let full = "SIG" + text.uppercased()
                throw TextMistake(reason: text.notOne(of: names, guess: names.contains(full) ? full : nil))
            }
            return signal
        }
    }
}

extension String {
    var inQuotes: String { "\"\(self)\"" }

    /// "is not one of the words", with a guess at which was meant.
    func notOne(of words: [String], guess: String? = nil) -> String {
        guard let guess = guess ?? NearestName.of(self, among: words) else { return "\(quoted) is not known" }
        return "\(quoted) is not known (did you mean \(guess.inQuotes)?)"
    }
}

extension [String] {
    /// The words in quotes: "a", "b" or "c".
    var alternatives: String {
        let quoted = map(\.inQuotes)
        guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "" }
        return quoted.dropLast().joined(separator: ", ") + " or " + last
    }
}
