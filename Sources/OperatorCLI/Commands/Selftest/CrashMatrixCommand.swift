import ArgumentParser
import ControlProtocol
import LinuxSystem

struct CrashMatrixCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "crash-matrix",
        abstract:
            "Interrupt deployments and rollbacks at every state and every call that writes, and see what is left.",
        discussion: """
            Starts a runtime of its own in a folder that is removed afterwards, with the programs beside this one: a debug \
            build, for others cannot be interrupted at a call. After each interruption one recovery has to lead to a declared \
            end with one complete version that runs, and the same order, given again, to a success. Not for root: it needs \
            none of root's rights, and has no users of its own.
            """)

    @Option(name: .long, help: ArgumentHelp("Only every so many calls, for a quick look.", valueName: "n"))
    var every = 1
    @Option(name: .long, help: ArgumentHelp("Where the folder is made. (default: TMPDIR, or /tmp)", valueName: "dir"))
    var folder: String?
    @Flag(name: .long, help: "Leave the folder there.")
    var keep = false
    @OptionGroup var output: OutputOptions

    private enum Key: String { case cuts, broken, cells, operation, cut, outcome, problem, milliseconds = "ms" }

    func validate() throws {
        guard every >= 1 else { throw ValidationError("--every is at least 1") }
    }

    func perform(on console: Console) throws {
        guard SystemCall.effectiveUserID() != 0 else {
            throw CommandError(code: .usage, message: "run it as an ordinary user: it starts a runtime of its own")
        }
        let parent = folder ?? ProcessEnvironment.value("TMPDIR") ?? "/tmp"
        let rig = try MatrixRig(in: parent)
        defer { rig.finish(keepsFolder: keep) }
        var matrix = CrashMatrix(rig, every: every)
        try matrix.run { cell in
            guard !output.json, Terminal.isTerminal(1) || !cell.isGood else { return }
            try? console.print([line(cell, console)])
        }
        let broken = matrix.cells.filter { !$0.isGood }
        if output.json {
            let cells = matrix.cells.map { cell in
                JSONValue.object([
                    Key.operation: cell.operation.rawValue, .cut: cell.cut.description, .outcome: cell.outcome,
                    .problem: cell.problem, .milliseconds: cell.milliseconds,
                ])
            }
            try console.print(.object([Key.cuts: cells.count, .broken: broken.count, .cells: JSONValue.array(cells)]))
        } else {
            try console.print(summary(matrix.cells, console))
        }
        guard broken.isEmpty else {
            throw CommandError(code: .failed, message: "\(broken.count) of \(matrix.cells.count) cuts broke a promise")
        }
    }

    private func line(_ cell: CrashMatrix.Cell, _ console: Console) -> String {
        let words = cell.problem.map { console.palette(.bad, $0) } ?? cell.outcome
        return "\(cell.operation.rawValue)  \(cell.cut): \(words)"
    }

    /// A row for each kind of cut, a column for each operation: how often it came out how.
    private func summary(_ cells: [CrashMatrix.Cell], _ console: Console) -> [String] {
        var rows: [String] = []
        for cell in cells where !rows.contains(cell.cut.kind) { rows.append(cell.cut.kind) }
        var table = Table([.init("CUT")] + CrashMatrix.Operation.allCases.map { .init($0.rawValue.uppercased()) })
        for kind in rows {
            table.add(
                [.init(kind)]
                    + CrashMatrix.Operation.allCases.map { operation in
                        cell(cells.filter { $0.cut.kind == kind && $0.operation == operation })
                    })
        }
        let broken = cells.count { !$0.isGood }
        return table.lines(console.palette)
            + [
                "",
                "\(cells.count) cuts, \(broken == 0 ? "no" : String(broken)) promise\(broken == 1 ? "" : "s") broken",
            ]
    }

    private func cell(_ cells: [CrashMatrix.Cell]) -> Table.Cell {
        guard !cells.isEmpty else { return .init("-", .faint) }
        var counts: [String: Int] = [:]
        for cell in cells { counts[cell.problem == nil ? cell.outcome : "BROKEN", default: 0] += 1 }
        let words = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        return .init(words, cells.allSatisfy(\.isGood) ? .plain : .bad)
    }
}
