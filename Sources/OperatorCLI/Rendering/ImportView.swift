import ControlProtocol

/// What came of an import, for the operator.
struct ImportView {
    let result: ImunoEdgeImport
    let source: String
    let destination: String?

    init(_ result: ImunoEdgeImport, source: String, destination: String?) {
        self.result = result
        self.source = source
        self.destination = destination
    }

    private enum Key: String {
        case workers, imported, warnings, output, toml, unknown, name, value
        case withoutCounterpart = "without_counterpart"
        case notGivenToWorkers = "not_given_to_workers"
    }

    /// Warnings, each with its place; then the counts, and what to do next.
    var lines: [String] {
        var lines = result.warnings.map { Self.text($0, in: source, as: "warning: ") }
        lines.append(summary)
        if let destination {
            lines.append(
                "written to \(destination.escapedForTerminal); holdfast check says whether it fits this machine")
        }
        return lines
    }

    private var summary: String {
        var parts = [
            "\(counted(result.workers.count, "worker")) and \(counted(result.imported.count, "setting")) imported"
        ]
        if !result.withoutCounterpart.isEmpty {
            let count = result.withoutCounterpart.count
            parts.append(
                "\(counted(count, "setting")) without a counterpart \(count == 1 ? "is a comment" : "are comments")")
        }
        if !result.unknown.isEmpty {
            parts.append("\(counted(result.unknown.count, "name")) that ImunoEdge does not know")
        }
        if !result.refused.isEmpty {
            parts.append("\(counted(result.refused.count, "variable")) not given to the workers")
        }
        return parts.joined(separator: ", ")
    }

    var json: JSONValue {
        [
            Key.workers.rawValue: result.workers.map(\.name).json, Key.imported.rawValue: result.imported.json,
            Key.withoutCounterpart.rawValue: json(result.withoutCounterpart),
            Key.unknown.rawValue: json(result.unknown),
            Key.notGivenToWorkers.rawValue: json(result.refused),
            Key.warnings.rawValue: result.warnings.map { Self.text($0, in: source) }.json,
            Key.output.rawValue: destination.json,
            Key.toml.rawValue: (destination == nil ? result.toml : nil).json,
        ]
    }

    private func json(_ leftovers: [ImunoEdgeImport.Leftover]) -> JSONValue {
        .array(leftovers.map { [Key.name.rawValue: $0.name.json, Key.value.rawValue: $0.value.json] })
    }

    /// "FILE:LINE: message".
    static func text(_ problem: ImportProblem, in source: String, as kind: String = "") -> String {
        let place = source.escapedForTerminal + (problem.line.map { ":\($0)" } ?? "")
        return "\(place): \(kind)\(problem.message)"
    }

    private func counted(_ count: Int, _ noun: String) -> String { count == 1 ? "1 \(noun)" : "\(count) \(noun)s" }
}
