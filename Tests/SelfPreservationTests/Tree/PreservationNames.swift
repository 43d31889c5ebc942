import SelfPreservation

// The tree has events and actions too, and a module cannot be named where it has a type of the same name.
typealias PreservationEvent = Event
typealias PreservationAction = Action
