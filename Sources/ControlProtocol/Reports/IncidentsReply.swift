/// The reply of method Incidents.
package struct IncidentsReply: Equatable, Sendable {
    /// Newest last.
    package var incidents: [IncidentReport]

    package init(
        incidents: [IncidentReport] = []
    ) {
        self.incidents = incidents
    }
}

extension IncidentsReply: JSONConvertible {
    private enum Key: String {
        case incidents
    }

    package init(json: JSONValue) throws(JSONError) {
        self.init(
            incidents: try json.required(Key.incidents))
    }

    package var json: JSONValue {
        .object([
            Key.incidents: incidents
        ])
    }
}
