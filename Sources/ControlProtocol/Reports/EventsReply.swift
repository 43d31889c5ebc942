/// One reply of method Events.
package struct EventsReply: Equatable, Sendable {
    /// `nil` in a last reply without an event.
    package var event: EventReport?
    /// The oldest sequence number that is still kept; those before it are lost.
    package var firstAvailable: Int

    package init(
        event: EventReport? = nil, firstAvailable: Int
    ) {
        self.event = event
        self.firstAvailable = firstAvailable
    }
}

extension EventsReply: JSONConvertible {
    private enum Key: String {
        case event
        case firstAvailable = "first_available"
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            event: try json.optional(Key.event),
            firstAvailable: try json.required(Key.firstAvailable))
    }

    package var json: JSONValue {
        .object([
            Key.event: event,
            .firstAvailable: firstAvailable,
        ])
    }
}
