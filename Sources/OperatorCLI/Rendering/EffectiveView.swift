import ControlProtocol
import DeviceConfiguration

/// Every setting as it holds, with where it comes from.
struct EffectiveView {
    let sections: [EffectiveSection]

    /// A value that is longer does not move the sources of all others.
    private static let widestValue = 40
    private static let widestKey = 24
    private static let gap = "  "

    private enum Key: String { case path, table, name, key, value, source, file, line, variable }

    func lines(_ palette: Palette) -> [String] {
        let settings = sections.flatMap(\.settings)
        let keyWidth = width(settings.map(\.key), atMost: Self.widestKey)
        let valueWidth = width(settings.map(valueText), atMost: Self.widestValue)
        var lines: [String] = []
        for section in sections {
            if !lines.isEmpty { lines.append("") }
            let name = section.name.map { " \($0.escapedForTerminal)" } ?? ""
            lines.append(palette(.heading, section.header) + name)
            for setting in section.settings {
                let key = padded(setting.key.escapedForTerminal, to: keyWidth)
                let value = padded(valueText(setting), to: valueWidth)
                let source = sourceText(setting.source)
                if setting.source == .builtIn {
                    lines.append(palette(.faint, "  \(key)\(Self.gap)\(value)\(Self.gap)\(source)"))
                } else {
                    lines.append(
                        "  \(key)\(Self.gap)\(value)\(Self.gap)" + palette(sourceStyle(setting.source), source))
                }
            }
        }
        return lines
    }

    /// An array of objects, one for each setting.
    var json: JSONValue {
        .array(sections.flatMap { section in section.settings.map { json(of: $0, in: section) } })
    }

    private func json(of setting: EffectiveSetting, in section: EffectiveSection) -> JSONValue {
        var source = "default"
        var file: String?
        var variable: String?
        var line: Int?
        if case .given(let place) = setting.source {
            switch place.origin {
            case .file(let path): (source, file, line) = ("file", path, place.position?.line)
            case .variable(let name): (source, variable) = ("environment", name)
            }
        }
        return [
            Key.path.rawValue: "\(section.path).\(setting.key)".json, Key.table.rawValue: section.table.json,
            Key.name.rawValue: section.name.json, Key.key.rawValue: setting.key.json,
            Key.value.rawValue: setting.value.map(\.json) ?? .null, Key.source.rawValue: source.json,
            Key.file.rawValue: file.json, Key.line.rawValue: line.json, Key.variable.rawValue: variable.json,
        ]
    }

    private func valueText(_ setting: EffectiveSetting) -> String {
        if let value = setting.value { return TOMLText.value(value).escapedForTerminal }
        return "(\((setting.otherwise ?? "none").replacing("`", with: "")))"
    }

    private func sourceText(_ source: SettingSource) -> String {
        switch source {
        case .builtIn: "default"
        case .given(let place):
            switch place.origin {
            case .file(let path): "\(path):\(place.position?.line ?? 1)".escapedForTerminal
            case .variable(let name): "$\(name)".escapedForTerminal
            }
        }
    }

    /// What an operator looks for first is what no file shows.
    private func sourceStyle(_ source: SettingSource) -> Style {
        if case .given(let place) = source, case .variable = place.origin { return .active }
        return .plain
    }

    private func width(_ texts: [String], atMost limit: Int) -> Int {
        texts.map(\.count).filter { $0 <= limit }.max() ?? 0
    }

    private func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension TOMLValue {
    fileprivate var json: JSONValue {
        switch self {
        case .string(let text): .string(text)
        case .integer(let number): .int(number)
        case .float(let number): .double(number)
        case .boolean(let truth): .bool(truth)
        case .array(let elements): .array(elements.map(\.value.json))
        case .table(let table):
            .object(table.entries.reduce(into: [:]) { $0[$1.key] = $1.node.value.json })
        case .date, .time, .dateTime: .null
        }
    }
}
