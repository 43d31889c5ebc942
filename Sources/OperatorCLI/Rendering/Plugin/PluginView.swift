import ControlProtocol
import PluginSession

/// `holdfast plugin check`: what a plugin says of itself, then what is wrong with it.
struct PluginView {
    var path: String
    var findings: [PluginFinding]
    var notes: [String]
    var report: PluginInspection.Report?

    init(path: String, findings: [PluginFinding], notes: [String]) {
        self.path = path
        self.findings = findings
        self.notes = notes
    }

    private enum Key: String {
        case valid, path, name, version, summary, abi, kinds, grants, problems, notes
        case parallel, repeatable, cancellable, check, message
    }

    func lines(_ palette: Palette) -> [String] {
        var lines: [String] = []
        if let report, let name = report.name {
            let version = palette(.faint, "\(report.version ?? "?") (ABI \(report.abiVersion ?? 0))".escapedForTerminal)
            lines.append(
                "\(palette(.heading, name.escapedForTerminal))  \(version)  \((report.summary ?? "").escapedForTerminal)"
            )
            var table = Table([.init(), .init("executes"), .init("may be"), .init()])
            for kind in report.kinds {
                table.add([
                    .init(""), .init(kind.name.escapedForTerminal), .init(Self.traits(kind), .faint),
                    .init((kind.summary ?? "").escapedForTerminal),
                ])
            }
            lines += table.lines(palette).map { "  " + $0 }
            if !report.grants.isEmpty {
                lines.append("  wishes for \(report.grants.map(\.escapedForTerminal).joined(separator: ", "))")
            }
        }
        for finding in findings {
            lines.append("\(palette(.bad, "wrong:")) \(finding.message.escapedForTerminal)")
        }
        for note in notes { lines.append("\(palette(.faint, "note:")) \(note)") }
        if findings.isEmpty { lines.append("\(palette(.good, "good:")) nothing is wrong with it") }
        return lines
    }

    private static func traits(_ kind: PluginInspection.Kind) -> String {
        var traits: [String] = []
        if kind.isParallel { traits.append("parallel") }
        if kind.isRepeatable { traits.append("repeated") }
        if kind.isCancellable { traits.append("cancelled") }
        return traits.isEmpty ? "-" : traits.joined(separator: ", ")
    }

    var json: JSONValue {
        let kinds: [JSONValue] = (report?.kinds ?? []).map {
            .object([
                Key.name: $0.name, .summary: $0.summary, .parallel: $0.isParallel, .repeatable: $0.isRepeatable,
                .cancellable: $0.isCancellable,
            ])
        }
        let problems: [JSONValue] = findings.map { .object([Key.check: $0.check, .message: $0.message]) }
        return .object([
            Key.valid: findings.isEmpty, .path: path, .name: report?.name, .version: report?.version,
            .summary: report?.summary, .abi: report?.abiVersion, .kinds: kinds, .grants: report?.grants ?? [],
            .problems: problems, .notes: notes,
        ])
    }
}
