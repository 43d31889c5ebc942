/// Gathers every problem of one reading, in the order of files and lines, each once.
final class ProblemCollector {
    /// The most problems that are kept: a file of noise must not become a report of megabytes.
    static let limit = 500

    private var order: [SourceOrigin: Int] = [:]
    private var seen: Set<ConfigurationProblem> = []
    private var kept: [ConfigurationProblem] = []
    private var dropped = 0

    /// Tells the order of files and variables.
    func willRead(_ origin: SourceOrigin) {
        if order[origin] == nil { order[origin] = order.count }
    }

    func add(_ problem: ConfigurationProblem) {
        if isFull {
            dropped += 1
        } else if seen.insert(problem).inserted {
            kept.append(problem)
        }
    }

    func add(_ place: SourcePlace, _ key: String, _ message: String, allowed: String? = nil) {
        add(
            ConfigurationProblem(
                kind: .setting, at: place, key: key, message: message, allowed: allowed))
    }

    /// Whether further problems are only counted: not worth a guess at what was meant.
    var isFull: Bool { kept.count >= ProblemCollector.limit }

    var isEmpty: Bool { kept.isEmpty }

    /// Sorted by file, line and column, variables after the files.
    var problems: [ConfigurationProblem] {
        let start = TextPosition(line: 0, column: 0)
        var result = kept.enumerated().sorted { left, right in
            let leftOrigin = order[left.element.origin] ?? .max
            let rightOrigin = order[right.element.origin] ?? .max
            if leftOrigin != rightOrigin { return leftOrigin < rightOrigin }
            let leftPosition = left.element.position ?? start
            let rightPosition = right.element.position ?? start
            return leftPosition != rightPosition ? leftPosition < rightPosition : left.offset < right.offset
        }.map(\.element)
        if dropped > 0, var last = result.last {
            last.position = nil
            last.key = nil
            last.message = "\(dropped) more problems are not shown"
            last.allowed = nil
            result.append(last)
        }
        return result
    }
}
