package import MonotonicTime
package import Supervision

/// One supervisor has died, and the next one has read its record.
package struct Handover: Sendable {
    package var now: MonotonicInstant
    /// The configuration of the next one.
    package var specification: SupervisorSpecification
    /// Of the restored tree, before its first event.
    package var status: TreeStatus
    /// Whose the instances on record are in the restored tree.
    package var owners: [InstanceID: WorkerID]

    package init(
        now: MonotonicInstant, specification: SupervisorSpecification, status: TreeStatus,
        owners: [InstanceID: WorkerID]
    ) {
        self.now = now
        self.specification = specification
        self.status = status
        self.owners = owners
    }
}
