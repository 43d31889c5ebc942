/// The reply of method Metrics.
package struct MetricsReply: Equatable, Sendable {
    /// In the text format of Prometheus.
    package var text: String

    package init(text: String) {
        self.text = text
    }
}

extension MetricsReply: JSONConvertible {
    private enum Key: String { case text }

    package init(json: JSONValue) throws(JSONError) {
        self.init(text: try json.required(Key.text))
    }

    package var json: JSONValue { .object([Key.text: text]) }
}
