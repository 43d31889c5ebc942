/// Prometheus' text format, version 0.0.4: families with their help and type, and samples with labels.
struct MetricsText {
    enum Kind: String { case gauge, counter }

    private(set) var text = ""

    /// Writes a family; nothing when it has no samples.
    mutating func family(
        _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: [(String, String)], value: Double)]
    ) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            text += name
            if !sample.labels.isEmpty {
                let labels = sample.labels.map { "\($0.0)=\"\(MetricsText.escape($0.1))\"" }
                text += "{\(labels.joined(separator: ","))}"
            }
            text += " \(MetricsText.format(sample.value))\n"
        }
    }

    /// A family with one sample for each that has a value.
    mutating func family<Element>(
        _ name: String, _ kind: Kind, _ help: String, _ elements: [Element], labels: (Element) -> [(String, String)],
        value: (Element) -> Double?
    ) {
        family(name, kind, help, elements.compactMap { element in value(element).map { (labels(element), $0) } })
    }

    private static func escape(_ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func format(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
        return value.description
    }
}
