import ControlProtocol
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
        var entry = StateEntry(changes: changes, processes: processes, lastEvent: lastEvent)
        do throws(SystemError) {
            if file.wantsRewrite {
                recorded = [:]
                guard let record = snapshot() else { return }
                try file.rewrite(record)
            } else {
                for name in changes.removedWorkers + changes.removedSupervisors { recorded[name] = nil }
                entry.changes.workers.removeAll { !isNews($0.name, $0.stateJSON) }
                entry.changes.supervisors.removeAll { !isNews($0.name, $0.stateJSON) }
                guard !entry.isEmpty else { return }
                try file.append(entry)
            }
            warning = nil
        } catch {
            recorded = [:]
            warning =
                "the state cannot be written (\(error.message)): if holdfastd dies now, the next one restarts workers"
        }
    }

    private func isNews(_ name: String, _ json: JSONValue) -> Bool {
        let digest = json.serialised().hashValue
        return recorded.updateValue(digest, forKey: name) != digest
    }
}

extension StateEntry {
    fileprivate var isEmpty: Bool {
        changes.workers.isEmpty && changes.supervisors.isEmpty && changes.removedWorkers.isEmpty
            && changes.removedSupervisors.isEmpty && processes.isEmpty
    }
}
