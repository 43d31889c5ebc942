import ControlProtocol

/// How a deployment goes on: a line for each state, and for each tenth of a long one.
struct DeploymentLines {
    let palette: Palette
    private var last: (state: DeploymentReport.State, tenth: Int?, message: String?)?

    init(palette: Palette) { self.palette = palette }

    private static let stateWidth = DeploymentReport.State.allCases.map(\.rawValue.count).max() ?? 0

    /// `nil` for what need not be said.
    mutating func line(_ report: DeploymentReport) -> String? {
        // What has failed is said once, as the command's own failure.
        guard !report.state.isEnd || report.state == .committed else { return nil }
        let tenth = report.percent.map { $0 / 10 }
        if let last, last == (report.state, tenth, report.message) { return nil }
        last = (report.state, tenth, report.message)
        if report.state == .committed {
            return palette(.good, "committed") + "  \(report.bundle) \(report.version)".escapedForTerminal
        }
        let state = report.state.rawValue
        let rest = [report.percent.map { "\($0) %" }, Self.reason(report, otherwise: nil)].compactMap { $0 }
            .filter { !$0.isEmpty }.joined(separator: "  ")
        guard !rest.isEmpty else { return state }
        return state + String(repeating: " ", count: Self.stateWidth - state.count) + "  \(rest)"
    }

    /// In one line; the code first.
    static func reason(_ report: DeploymentReport, otherwise words: String?) -> String {
        let parts = [report.code, report.message].compactMap { $0 }.filter { !$0.isEmpty }
        return (parts.isEmpty ? words ?? "" : parts.joined(separator: ": ")).escapedForTerminal
    }

    static func style(_ state: DeploymentReport.State) -> Style {
        switch state {
        case .committed: .good
        case .rolledBack, .reverting: .caution
        case .failed: .bad
        case .downloading, .verifying, .unpacking, .staged, .activating, .probation: .plain
        }
    }
}
