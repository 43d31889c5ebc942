import LinuxSystem
import Supervision

/// Keeps the state file up to date. What cannot be written stops nothing: supervision goes on, says so, and the next
/// change tries again with a whole record.
final class StateKeeper {
    /// As in `SurvivalRecord`.
    let runtime: String
    private let file: StateFile
    /// What each worker and supervisor was last recorded as: most events leave nothing new behind (a watchdog's ping).
    private var recorded: [String: Int] = [:]
    /// Everything, for a file that is written anew.
    var snapshot: () -> SurvivalRecord?
    /// Why the last change could not be recorded; `nil` when it was.
    private(set) var warning: String?

    init(_ file: StateFile, runtime: String) {
        self.file = file
        self.runtime = runtime
        snapshot = { nil }
    }

    /// Records what has changed. When this returns, the next supervisor will know of it, whatever happens to this one.
    func record(_ changes: TreeChanges, _ processes: [InstanceID: ProcessIdentity], lastEvent: Int) {
        do throws(SystemError) {
            if file.wantsRewrite {
                recorded = [:]
                guard let record = snapshot() else { return }
                try file.rewrite(record)
            } else {
                for name in changes.removedWorkers + changes.removedSupervisors { recorded[name] = nil }
                let workers = changes.workers.compactMap { news($0.name, $0.stateText) }
                let supervisors = changes.supervisors.compactMap { news($0.name, $0.stateText) }
                let areAnyRemoved = !changes.removedWorkers.isEmpty || !changes.removedSupervisors.isEmpty
                guard areAnyRemoved || !workers.isEmpty || !supervisors.isEmpty || !processes.isEmpty else { return }
                let entry = StateEntry(changes: changes, processes: processes, lastEvent: lastEvent)
                try file.append(entry.stateText(workers: workers, supervisors: supervisors))
            }
            warning = nil
        } catch {
            recorded = [:]
            warning =
                "the state cannot be written (\(error.message)): if holdfastd dies now, the next one restarts workers"
        }
    }

    /// The text, unless it was recorded already.
    private func news(_ name: String, _ text: [UInt8]) -> [UInt8]? {
        let digest = text.hashValue
        return recorded.updateValue(digest, forKey: name) == digest ? nil : text
    }
}
