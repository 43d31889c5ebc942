import ControlProtocol
import DeviceConfiguration
import Trust

/// Reads values of a manifest, and gathers what is wrong instead of stopping at the first thing.
final class ManifestReader {
    private(set) var problems: [String] = []
    private var isFull: Bool { problems.count >= BundleLimits.problems }

    func report(_ place: String, _ message: String, allowed: String? = nil) {
        guard !isFull else { return }
        problems.append("\(place): \(message)" + (allowed.map { "; allowed: \($0)" } ?? ""))
        if isFull { problems.append("and more") }
    }

    /// The members of an object; unknown keys are problems.
    func object(_ json: JSONValue?, _ place: String, keys: [String]) -> ManifestObject? {
        guard case .object(let object)? = json else {
            report(place, json.map { "is \($0.kindInWords)" } ?? "is missing", allowed: "an object")
            return nil
        }
        for member in object.members where !keys.contains(member.key) {
            report(path(place, member.key), "is not known here", allowed: keys.joined(separator: ", "))
        }
        return ManifestObject(object: object, place: place, reader: self)
    }

    /// A table of the configuration: its keys are judged there.
    func table(_ json: JSONValue, _ place: String) -> JSONObject? {
        if json.objectValue == nil { report(place, "is \(json.kindInWords)", allowed: "an object") }
        return json.objectValue
    }

    func path(_ place: String, _ key: String) -> String { place.isEmpty ? key : "\(place).\(key)" }
}

/// One object of a manifest.
struct ManifestObject {
    let object: JSONObject
    let place: String
    let reader: ManifestReader

    func path(_ key: String) -> String { reader.path(place, key) }

    private func wrong(_ key: String, _ allowed: String) {
        let found = object[key].map { "is \($0.kindInWords)" } ?? "is missing"
        reader.report(path(key), found, allowed: allowed)
    }

    /// Text that `isAllowed` takes. What is missing is a problem unless there is a default.
    func text(_ key: String, _ allowed: String, default fallback: String? = nil, where isAllowed: (String) -> Bool)
        -> String?
    {
        if object[key] == nil, let fallback { return fallback }
        guard let text = object[key]?.stringValue else {
            wrong(key, allowed)
            return nil
        }
        guard text.utf8.count <= BundleLimits.textBytes, isAllowed(text) else {
            reader.report(path(key), "is \(text.prefix(80).debugDescription)", allowed: allowed)
            return nil
        }
        return text
    }

    func number(_ key: String, _ range: ClosedRange<Int>, default fallback: Int? = nil) -> Int? {
        if object[key] == nil, let fallback { return fallback }
        let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard case .int(let value)? = object[key] else {
            wrong(key, allowed)
            return nil
        }
        guard range.contains(Int(value)) else {
            reader.report(path(key), "is \(value)", allowed: allowed)
            return nil
        }
        return Int(value)
    }

    func truth(_ key: String, default fallback: Bool) -> Bool {
        guard let value = object[key] else { return fallback }
        guard let truth = value.boolValue else {
            wrong(key, "true or false")
            return fallback
        }
        return truth
    }

    func duration(_ key: String, _ range: ClosedRange<Duration>, default fallback: Duration) -> Duration {
        let allowed =
            "a duration such as \"90s\", from \(DurationText.render(range.lowerBound)) to "
            + DurationText.render(range.upperBound)
        guard object[key] != nil else { return fallback }
        guard let text = object[key]?.stringValue, let duration = DurationText.duration(text), range.contains(duration)
        else {
            if let text = object[key]?.stringValue {
                reader.report(path(key), "is \(text.prefix(40).debugDescription)", allowed: allowed)
            } else {
                wrong(key, allowed)
            }
            return fallback
        }
        return duration
    }

    /// The elements of a list, each with its place; none when it is absent.
    func list(_ key: String, limit: Int) -> [(element: JSONValue, place: String)] {
        guard let value = object[key] else { return [] }
        guard let elements = value.arrayValue else {
            wrong(key, "a list")
            return []
        }
        guard elements.count <= limit else {
            reader.report(path(key), "has \(elements.count) entries", allowed: "at most \(limit)")
            return []
        }
        return elements.enumerated().map { ($0.element, "\(path(key))[\($0.offset)]") }
    }

    func texts(_ key: String, limit: Int, _ allowed: String, where isAllowed: (String) -> Bool) -> [String] {
        list(key, limit: limit).compactMap { element, place in
            guard let text = element.stringValue, text.utf8.count <= BundleLimits.textBytes, isAllowed(text) else {
                reader.report(place, "is \(element.kindInWords) that cannot stand there", allowed: allowed)
                return nil
            }
            return text
        }
    }

    func part(_ key: String, keys: [String]) -> ManifestObject? {
        object[key].flatMap { reader.object($0, path(key), keys: keys) }
    }
}
