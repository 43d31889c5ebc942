package import Supervision

/// A process as anybody on the machine can see it, whatever the supervisor believes.
package struct ProcessSighting: Sendable {
    package var worker: String
    package var instance: InstanceID
    package var isFrozen: Bool
    /// Its main process has ended, or was killed.
    package var isEnding: Bool

    package init(worker: String, instance: InstanceID, isFrozen: Bool, isEnding: Bool) {
        self.worker = worker
        self.instance = instance
        self.isFrozen = isFrozen
        self.isEnding = isEnding
    }
}
