import ControlProtocol
import Deployment

/// What is on disk of a bundle's deployments, as JSON (docs/bundle-store.md).
struct DeploymentNote: Equatable {
    var record: DeploymentRecord?
    var history = VersionHistory()

    private static let format = 1
}

extension BundleVersion {
    /// - Parameter identifier: VERSION@HASH, with 16 digits.
    /// - Returns: `nil` for anything else; what is returned can stand in a path.
    init?(identifier: String) {
        let parts = identifier.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = parts[0].utf8.first, first != UInt8(ascii: "."),
            parts[0].utf8.count <= 64, parts[0].utf8.allSatisfy(Self.isInNumber),
            parts[1].utf8.count == 16, parts[1].utf8.allSatisfy(Self.isDigit)
        else { return nil }
        self.init(number: String(parts[0]), digest: String(parts[1]))
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func isInNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    var identifier: String { description }
}

extension DeploymentNote: JSONConvertible {
    private enum Key: String {
        case format, record, good, barred, candidate, ends
        case id, purpose, target, terms, state, reason, attempts, refuge, code, text, version, probation
        case isForced = "forced"
        case givenUp = "given_up"
        case readyWithin = "ready_within"
        case selfTestWithin = "self_test_within"
        case isReversible = "reversible"
    }

    init(json: JSONValue) throws(JSONError) {
        let format: Int = try json.required(Key.format)
        guard format == Self.format else {
            throw JSONError(.wrongType, at: Key.format.rawValue, "is \(format), and \(Self.format) can be read")
        }
        record = try (json.optional(Key.record) as JSONValue?).map(Self.record)
        var good: [VersionHistory.Good] = []
        for one in try json.required(Key.good) as [JSONValue] { good.append(try Self.good(one)) }
        var barred: [BundleVersion] = []
        for text in try json.required(Key.barred) as [String] { barred.append(try Self.version(text, Key.barred)) }
        var ends: [DeploymentEnd] = []
        for end in try json.required(Key.ends) as [JSONValue] {
            ends.append(
                DeploymentEnd(
                    id: try end.required(Key.id), try Self.state(end), try Self.reason(end)))
        }
        let candidate = try (json.optional(Key.candidate) as JSONValue?).map(Self.good)
        history = VersionHistory(good: good, barred: barred, candidate: candidate, ends: ends)
    }

    private static func record(_ json: JSONValue) throws(JSONError) -> DeploymentRecord {
        let name: String = try json.required(Key.purpose)
        guard let purpose = DeploymentRecord.Purpose(rawValue: name) else { throw unknown(Key.purpose, name) }
        var givenUp: [BundleVersion] = []
        for text in try json.required(Key.givenUp) as [String] { givenUp.append(try version(text, Key.givenUp)) }
        let refuge: String? = try json.optional(Key.refuge)
        return DeploymentRecord(
            id: try json.required(Key.id), purpose: purpose, isForced: try json.required(Key.isForced),
            target: try version(json.required(Key.target), Key.target),
            terms: try (json.optional(Key.terms) as JSONValue?).map(terms), state: try state(json),
            reason: try reason(json), attempts: try json.required(Key.attempts),
            refuge: try refuge.map { (text) throws(JSONError) in try version(text, Key.refuge) }, givenUp: givenUp)
    }

    private static func unknown(_ key: Key, _ text: String) -> JSONError {
        JSONError(.wrongType, at: key.rawValue, "is not known: '\(text)'")
    }

    private static func version(_ text: String, _ key: Key) throws(JSONError) -> BundleVersion {
        guard let version = BundleVersion(identifier: text) else { throw unknown(key, text) }
        return version
    }

    private static func state(_ json: JSONValue) throws(JSONError) -> DeploymentRecord.State {
        let name: String = try json.required(Key.state)
        guard let state = DeploymentRecord.State(rawValue: name) else { throw unknown(Key.state, name) }
        return state
    }

    private static func reason(_ json: JSONValue) throws(JSONError) -> DeploymentReason? {
        guard let name: String = try json.optional(Key.code) else { return nil }
        guard let code = DeploymentReason.Code(rawValue: name) else { throw unknown(Key.code, name) }
        return DeploymentReason(code, try json.required(Key.text))
    }

    private static func good(_ json: JSONValue) throws(JSONError) -> VersionHistory.Good {
        VersionHistory.Good(
            version: try version(json.required(Key.version), Key.version), terms: try terms(json.required(Key.terms)))
    }

    /// Durations in nanoseconds.
    private static func terms(_ json: JSONValue) throws(JSONError) -> VersionTerms {
        VersionTerms(
            probation: .nanoseconds(try json.required(Key.probation) as Int),
            readyWithin: .nanoseconds(try json.required(Key.readyWithin) as Int),
            selfTestWithin: try (json.optional(Key.selfTestWithin) as Int?).map { .nanoseconds($0) },
            isReversible: try json.required(Key.isReversible))
    }

    var json: JSONValue {
        .object([
            Key.format: Self.format, .record: record.map(Self.json), .good: history.good.map(Self.json),
            .barred: history.barred.map(\.identifier), .candidate: history.candidate.map(Self.json),
            .ends: history.ends.map { end in
                JSONValue.object([
                    Key.id: end.id, .state: end.state.rawValue, .code: end.reason?.code.rawValue,
                    .text: end.reason?.text,
                ])
            },
        ])
    }

    private static func json(_ record: DeploymentRecord) -> JSONValue {
        .object([
            Key.id: record.id, .purpose: record.purpose.rawValue, .isForced: record.isForced,
            .target: record.target.identifier, .terms: record.terms.map(json), .state: record.state.rawValue,
            .code: record.reason?.code.rawValue, .text: record.reason?.text, .attempts: record.attempts,
            .refuge: record.refuge?.identifier, .givenUp: record.givenUp.map(\.identifier),
        ])
    }

    private static func json(_ good: VersionHistory.Good) -> JSONValue {
        .object([Key.version: good.version.identifier, .terms: json(good.terms)])
    }

    private static func json(_ terms: VersionTerms) -> JSONValue {
        .object([
            Key.probation: terms.probation.nanoseconds, .readyWithin: terms.readyWithin.nanoseconds,
            .selfTestWithin: terms.selfTestWithin?.nanoseconds, .isReversible: terms.isReversible,
        ])
    }
}

extension Duration {
    fileprivate var nanoseconds: Int { Int(self / .nanoseconds(1)) }
}
