import ControlProtocol
import MonotonicTime
import PluginSession

/// `holdfast plugin run`: what happens on the way, and in the end.
struct TrialView {
    var plugin: String
    var order: TrialOrder
    private var lines: [JSONValue] = []
    private var readings: [JSONValue] = []
    private var progress: [JSONValue] = []

    init(plugin: String, order: TrialOrder) {
        self.plugin = plugin
        self.order = order
    }

    private enum Key: String {
        case plugin, id, kind, state, result, code, message, took = "took_ms", log, progress, readings
        case level, text, percent
    }

    mutating func add(_ event: PluginTrial.Event) {
        switch event {
        case .log(let level, let text): lines.append(.object([Key.level: level.name, .text: text]))
        case .progress(let percent, let text): progress.append(.object([Key.percent: percent, .text: text]))
        case .reading(let reading): readings.append(.object(reading))
        case .notice: break
        }
    }

    func line(_ event: PluginTrial.Event, _ palette: Palette) -> String {
        switch event {
        case .log(let level, let text):
            let style: Style =
                switch level {
                case .debug: .faint
                case .info: .plain
                case .warning: .caution
                case .error: .bad
                }
            return palette(style, Self.column(level.name)) + text.escapedForTerminal
        case .progress(let percent, let text):
            return palette(.active, Self.column(percent.map { "\($0) %" } ?? "...")) + text.escapedForTerminal
        case .reading(let reading): return palette(.faint, Self.column("reading")) + JSONValue.object(reading).text
        case .notice(let text): return palette(.caution, Self.column("trial")) + text
        }
    }

    func summary(_ took: Duration, _ palette: Palette) -> String {
        let time = DurationText.measured(took.inSeconds)
        return palette(.good, Self.column("done")) + "\(order.kind.escapedForTerminal) took \(time)"
    }

    func json(_ end: PluginSession.End, _ took: Duration) -> JSONValue {
        var object: JSONObject = [
            Key.plugin.rawValue: .string(plugin), Key.id.rawValue: .string(order.id),
            Key.kind.rawValue: .string(order.kind),
        ]
        switch end {
        case .succeeded(let result):
            object[Key.state.rawValue] = "succeeded"
            object[Key.result.rawValue] = result
        case .failed(let failure):
            object[Key.state.rawValue] = "failed"
            object[Key.code.rawValue] = .string(failure.code.rawValue)
            object[Key.message.rawValue] = .string(failure.message)
        }
        object[Key.took.rawValue] = .double((took.inSeconds * 10_000).rounded() / 10)
        object[Key.log.rawValue] = .array(lines)
        object[Key.progress.rawValue] = .array(progress)
        object[Key.readings.rawValue] = .array(readings)
        return .object(object)
    }

    private static func column(_ text: String) -> String {
        text + String(repeating: " ", count: max(1, 9 - text.count))
    }
}
