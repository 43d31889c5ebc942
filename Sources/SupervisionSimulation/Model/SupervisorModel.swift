import MonotonicTime
import Supervision

/// What an observer knows of one supervisor.
final class SupervisorModel {
    let name: String
    var specification: SupervisorSpecification
    var parent: SupervisorModel?
    /// First and last place of its workers in tree order; empty when it has none.
    var places = 0..<0
    /// Restarts after failures of its children, oldest first.
    var restarts: [Restart] = []
    /// Its children stop or have stopped together, since this step of the run.
    var stoppingSince: Int?
    /// When it last reported a stop of its children.
    var reportedStopInStep = 0
    /// First place in tree order that a group restart concerns.
    var concernedFrom = Int.max
    /// The same by the reports up to the action at hand: what one step reports later binds no earlier action of it.
    var concernedSoFar = Int.max
    /// A reload has moved its children since it began to stop them, or it stops with its parent as well.
    var isConcernUnknown = false
    /// A reload has moved its children since it began to stop them.
    var hasMovedChildren = false
    /// It gave up, and its parent has not restarted it yet.
    var hasEscalated = false
    /// Its parent's own stop may have taken the place of the restart.
    var isEscalationCertain = true
    var isRemoved = false
    var shown: SupervisorStatus?

    struct Restart {
        var at: MonotonicInstant
        var child: String
        /// Whether it surely counts.
        var isCertain: Bool
    }

    init(_ specification: SupervisorSpecification, parent: SupervisorModel?) {
        name = specification.name
        self.specification = specification
        self.parent = parent
    }

    var intensity: RestartIntensity { specification.intensity }

    /// Restarts in the window that ends now; a restart exactly one window ago counts as possible only.
    func restartsInWindow(at now: MonotonicInstant, of child: String?) -> ClosedRange<Int> {
        let start = now.advanced(by: .zero - intensity.within)
        var certain = 0
        var possible = 0
        for restart in restarts where child == nil || restart.child == child {
            if restart.at >= start { possible += 1 }
            if restart.at > start, restart.isCertain { certain += 1 }
        }
        return certain...possible
    }

    /// The supervisors above this one, nearest first.
    var ancestors: [SupervisorModel] {
        var found: [SupervisorModel] = []
        var next = parent
        while let current = next {
            found.append(current)
            next = current.parent
        }
        return found
    }

    /// Whether the children cannot be started now.
    var isShownDown: Bool { shown.map { $0.state != .up } ?? true }
}
