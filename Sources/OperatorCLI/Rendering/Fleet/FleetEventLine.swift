import ControlProtocol

/// An event of a device as one line. Columns have fixed widths, for the next event is not yet known.
struct FleetEventLine {
    let event: JSONValue
    let body: JSONValue
    let palette: Palette

    private static let deviceWidth = 16
    private static let kindWidth = "intensity-exceeded".count
    private static let workerWidth = 12

    var text: String {
        let time = (event["time_ms"]?.doubleValue ?? body["t"]?.doubleValue ?? 0) / 1000
        let (kind, message) = words
        let columns = [
            palette(.faint, ClockText.dateAndTime(time)),
            palette(.faint, padded(event["device"]?.stringValue ?? "", Self.deviceWidth)),
            palette(StateText.style(ofEvent: kind), padded(kind, Self.kindWidth)),
            padded(event["worker"]?.stringValue ?? body["w"]?.stringValue ?? "", Self.workerWidth), message,
        ]
        return columns.joined(separator: "  ")
    }

    private var words: (kind: String, message: String) {
        let kind = body["e"]?.stringValue ?? event["kind"]?.stringValue ?? "incident"
        switch kind {
        case "runtime":
            return (
                (body["event"]?["kind"]?.stringValue ?? kind).escapedForTerminal,
                (body["event"]?["message"]?.stringValue ?? "").escapedForTerminal
            )
        case "incident":
            // In the list of incidents the body is the incident itself.
            let incident = body["incident"] ?? body
            let exit = incident["exit"]?["message"]?.stringValue ?? ""
            let action = incident["action_message"]?.stringValue ?? ""
            return (kind, [exit, action].filter { !$0.isEmpty }.joined(separator: "; ").escapedForTerminal)
        case "command":
            let message = body["message"]?.stringValue.map { ": \($0)" } ?? ""
            return (
                kind,
                "\(body["id"]?.stringValue ?? "?") \(body["state"]?.stringValue ?? "?")\(message)".escapedForTerminal
            )
        case "worker":
            let data = body["data"].map { String(decoding: $0.serialised(), as: UTF8.self) } ?? ""
            return ((body["name"]?.stringValue ?? kind).escapedForTerminal, data.escapedForTerminal)
        case "loss":
            return (
                kind,
                "\(body["count"]?.intValue ?? 0) not taken in: \(body["reason"]?.stringValue ?? "?")".escapedForTerminal
            )
        default: return (kind.escapedForTerminal, (body["message"]?.stringValue ?? "").escapedForTerminal)
        }
    }

    private func padded(_ text: String, _ width: Int) -> String {
        let text = text.escapedForTerminal
        return text + String(repeating: " ", count: max(0, width - text.count))
    }
}
