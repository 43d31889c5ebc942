import ControlProtocol

/// The first lines of `status`, `tree` and `top`.
enum RuntimeHeader {
    static func line(_ runtime: RuntimeReport, _ palette: Palette) -> String {
        let state = runtime.state == "running" ? "running" : palette(.caution, runtime.state.escapedForTerminal)
        let name = palette(.heading, runtime.name.escapedForTerminal)
        let version = palette(.faint, "holdfast \(runtime.version.escapedForTerminal), pid \(runtime.pid)")
        return "\(name)  \(state) for \(DurationText.compact(runtime.uptime))  \(version)"
    }

    static func warnings(_ runtime: RuntimeReport, _ palette: Palette) -> [String] {
        runtime.warnings.map { palette(.caution, "warning:") + " \($0.escapedForTerminal)" }
    }
}
