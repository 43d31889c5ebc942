import BundleStore
import ControlProtocol
import MonotonicTime
import LinuxSystem

/// Deployments and rollbacks, each interrupted in one way, and what came of it.
struct CrashMatrix {
    enum Operation: String, CaseIterable {
        case deploy, rollback
    }

    /// What happens to it.
    enum Cut: Equatable, CustomStringConvertible {
        /// The keeper of deployments dies when the state is on disk.
        case keeperAt(DeploymentReport.State)
        /// The runtime dies when it has told of the state.
        case runtimeAt(DeploymentReport.State)
        /// The keeper dies before or after a call.
        case killed(call: Int, name: String, isDone: Bool)
        /// The call finds the disk full.
        case full(call: Int, name: String)

        var description: String {
            switch self {
            case .keeperAt(let state): "keeper killed at \(state.rawValue)"
            case .runtimeAt(let state): "holdfastd killed at \(state.rawValue)"
            case .killed(let call, let name, let isDone): "killed \(isDone ? "after" : "before") call \(call), \(name)"
            case .full(let call, let name): "disk full at call \(call), \(name)"
            }
        }

        /// For the summary.
        var kind: String {
            switch self {
            case .keeperAt, .runtimeAt: description
            case .killed(_, let name, let isDone): "killed \(isDone ? "after" : "before") \(name)"
            case .full(_, let name): "disk full at \(name)"
            }
        }

        /// As a debug build of the keeper takes it.
        var plan: String? {
            switch self {
            case .keeperAt(let state): "kill-at \(state.rawValue)"
            case .runtimeAt: nil
            case .killed(let call, _, let isDone): "kill-\(isDone ? "after" : "before") \(call)"
            case .full(let call, _): "fail \(call) \(SystemError.noSpaceNumber)"
            }
        }
    }

    struct Cell {
        let operation: Operation
        let cut: Cut
        /// How the deployment has ended.
        var outcome: String
        /// Which promise was broken.
        var problem: String?
        var milliseconds: Int

        var isGood: Bool { problem == nil }
    }

    private let rig: MatrixRig
    private let every: Int
    private(set) var cells: [Cell] = []

    init(_ rig: MatrixRig, every: Int) {
        self.rig = rig
        self.every = every
    }

    /// - Parameter onCell: called with each as it is done.
    mutating func run(_ onCell: (Cell) -> Void) throws {
        try rig.start()
        // Two that are good, so that there is a way back.
        for _ in 0..<2 {
            let end = try rig.perform(.deploy, version: try rig.publish())
            guard end.state == .committed else {
                throw CommandError(code: .failed, message: "nothing can be deployed here: \(end.message ?? "")")
            }
        }
        for operation in Operation.allCases {
            let version = operation == .deploy ? try rig.publish() : nil
            try rig.plan("count")
            let calls = try rig.counting { try rig.perform(operation, version: version) }
            guard !calls.isEmpty else {
                throw CommandError(
                    code: .failed, message: "the programs beside this one are no debug build, and cannot be interrupted"
                )
            }
            for cut in Self.cuts(operation, calls, every) {
                let cell = try measured(operation, cut)
                cells.append(cell)
                onCell(cell)
            }
        }
    }

    private static func cuts(_ operation: Operation, _ calls: [String], _ every: Int) -> [Cut] {
        let before: [DeploymentReport.State] = operation == .deploy ? [.downloading, .verifying, .unpacking] : []
        let states = before + [.staged, .activating, .probation, .committed]
        var cuts = states.map { Cut.keeperAt($0) } + states.map { Cut.runtimeAt($0) }
        for (index, name) in calls.enumerated() where index % every == 0 {
            let call = index + 1
            cuts += [
                .killed(call: call, name: name, isDone: false), .killed(call: call, name: name, isDone: true),
                .full(call: call, name: name),
            ]
        }
        return cuts
    }

    private func measured(_ operation: Operation, _ cut: Cut) throws -> Cell {
        let began = MonotonicClock.now()
        var cell = Cell(operation: operation, cut: cut, outcome: "", problem: nil, milliseconds: 0)
        do {
            cell.outcome = try perform(operation, cut)
        } catch let broken as BrokenPromise {
            cell.problem = broken.description
        }
        cell.milliseconds = Int(began.duration(to: MonotonicClock.now()) / .milliseconds(1))
        return cell
    }

    private func perform(_ operation: Operation, _ cut: Cut) throws -> String {
        let before = try rig.current()
        let version = operation == .deploy ? try rig.publish() : nil
        if let plan = cut.plan { try rig.plan(plan) }
        var fatal: DeploymentReport.State?
        if case .runtimeAt(let state) = cut { fatal = state }
        let end = try rig.perform(operation, version: version, killingRuntimeAt: fatal)
        try rig.removePlan()
        let current = try rig.soundCurrent()
        let target = version ?? end.version
        if end.state == .committed, current != target {
            throw BrokenPromise("it is said to be committed, and \(current) is current")
        }
        if end.state != .committed, current != before, current != target {
            throw BrokenPromise("neither the version before nor the new one is current, but \(current)")
        }
        try rig.checkWorker(of: current)
        // The same wish again leads to it.
        if end.state != .committed || operation == .deploy {
            let again = try rig.perform(operation, version: target.isEmpty ? nil : target)
            guard again.state == .committed else {
                throw BrokenPromise("another try has ended as \(again.state.rawValue): \(again.message ?? "")")
            }
            let now = try rig.soundCurrent()
            guard now == target || target.isEmpty else { throw BrokenPromise("another try has led to \(now)") }
            try rig.checkWorker(of: now)
        }
        return end.code ?? end.state.rawValue
    }
}

struct BrokenPromise: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension SystemError {
    /// ENOSPC.
    fileprivate static let noSpaceNumber = 28
}
