import ControlProtocol

/// A device as central knows it.
struct FleetDevice {
    let json: JSONValue

    var id: String { json["id"]?.stringValue ?? "?" }
    var name: String { json["name"]?.stringValue ?? "?" }
    var state: String { json["state"]?.stringValue ?? "?" }
    var isOnline: Bool { json["online"]?.boolValue ?? false }
    var isForked: Bool { json["forked"]?.boolValue ?? false }
    /// In seconds since 1970.
    var lastSeen: Double? { json["last_seen_ms"]?.doubleValue.map { $0 / 1000 } }
    var version: String? { json["version"]?.stringValue }
    var labels: [(key: String, value: String)] {
        (json["labels"]?.objectValue?.members ?? []).map { ($0.key, $0.value.stringValue ?? "") }
    }
    /// How many workers are in which state.
    var workers: [(state: String, count: Int)] {
        (json["report"]?["workers"]?.objectValue?.members ?? []).map { ($0.key, $0.value.intValue ?? 0) }
    }
    var level: String? { json["report"]?["level"]?.stringValue }

    var labelText: String { labels.map { "\($0.key)=\($0.value)" }.joined(separator: ",") }

    /// By id, or by its name where only one has it.
    static func find(_ text: String, _ client: FleetClient) throws(CommandError) -> FleetDevice {
        if text.utf8.count == 16, text.allSatisfy({ $0.isHexDigit && !$0.isUppercase }) {
            return FleetDevice(json: try client.get("/devices/\(text)"))
        }
        // A name is taken as it is: what a shell would expand is a pattern for central.
        guard !text.contains(where: { "*?[".contains($0) }) else {
            throw CommandError(code: .usage, message: "'\(text)' is a pattern; name one device")
        }
        let found = try list(client, ["name": text, "limit": "3"])
        guard let device = found.first else {
            throw CommandError(code: .notFound, message: "central knows no device '\(text.escapedForTerminal)'")
        }
        guard found.count == 1 else {
            let ids = found.map(\.id).joined(separator: ", ")
            throw CommandError(
                code: .usage,
                message: "several devices have the name '\(text.escapedForTerminal)': give an id, such as \(ids)")
        }
        return device
    }

    static func list(_ client: FleetClient, _ query: FleetClient.Query) throws(CommandError) -> [FleetDevice] {
        (try client.get("/devices", query)["devices"]?.arrayValue ?? []).map { FleetDevice(json: $0) }
    }
}
