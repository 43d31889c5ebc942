import ControlProtocol

/// `holdfast deployments`: a line for each bundle.
struct DeploymentsView {
    let bundles: [BundleReport]

    func lines(_ palette: Palette, width: Int?) -> [String] {
        guard !bundles.isEmpty else { return ["no bundles on this device"] }
        var table = Table([
            Table.Column("BUNDLE"), Table.Column("CURRENT"), Table.Column("GOOD"), Table.Column("BARRED"),
            Table.Column("LATEST"), Table.Column("STATE"), Table.Column("ID"), Table.Column("WHY"),
        ])
        for bundle in bundles { table.add(Self.row(bundle)) }
        return table.lines(palette, width: width)
    }

    private static func row(_ bundle: BundleReport) -> [Table.Cell] {
        let deployment = bundle.deployment
        let state: Table.Cell =
            if let deployment {
                Table.Cell(
                    [deployment.state.rawValue, deployment.percent.map { "\($0) %" }].compactMap { $0 }
                        .joined(separator: " "),
                    DeploymentLines.style(deployment.state))
            } else { Table.Cell("") }
        return [
            Table.Cell(bundle.name.escapedForTerminal),
            bundle.current.map { Table.Cell($0.escapedForTerminal) } ?? Table.Cell("none", .caution),
            Table.Cell(bundle.good.joined(separator: " ").escapedForTerminal),
            Table.Cell(bundle.barred.joined(separator: " ").escapedForTerminal, .caution),
            Table.Cell((deployment?.version ?? "").escapedForTerminal), state,
            Table.Cell((deployment?.id ?? "").escapedForTerminal, .faint),
            Table.Cell(deployment.map { DeploymentLines.reason($0, otherwise: nil) } ?? ""),
        ]
    }
}
