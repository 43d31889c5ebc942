package import ControlProtocol

/// What an executor asks of the uplink: one JSON object per packet of a socket that `holdfastd` has given to both, told apart by
/// "type". Several downloads may be under way at once.
package enum DownloadRequest: Equatable, Sendable {
    /// Fetch something; the file that it is written to comes along, open for writing. Nothing outside that file is touched, and it
    /// is not synced. Ends with `DownloadReport.ended`.
    case fetch(id: Int, DownloadOrder)
    /// It is not wanted any more. No report of it follows.
    case stop(id: Int)
    /// From a newer executor.
    case unknown(type: String)
}

package struct DownloadOrder: Equatable, Sendable {
    package enum Source: Equatable, Sendable {
        /// Content by its hash (64 hexadecimal digits) and length in bytes. Whoever asked checks both.
        case content(sha256: String, length: Int)
        /// Metadata by its file's name, such as `targets.json`, of at most so many bytes.
        case metadata(name: String, longest: Int)
    }

    package var source: Source
    /// So many bytes are in the file already, and are right as far as anybody knows: only the rest is fetched.
    package var offset: Int
    /// Below so many bytes a second over half a minute it counts as broken; it is tried again until its time is over.
    package var minimumSpeed: Int
    /// For all of it, with every try.
    package var within: Duration

    package init(_ source: Source, offset: Int = 0, minimumSpeed: Int, within: Duration) {
        self.source = source
        self.offset = offset
        self.minimumSpeed = minimumSpeed
        self.within = within
    }
}

extension DownloadOrder: JSONConvertible {
    private enum Key: String {
        case sha256, length, metadata, longest, offset
        case minimumSpeed = "minimum_speed"
        case within = "within_ns"
    }

    package init(json: JSONValue) throws(JSONError) {
        let source: Source =
            if let name: String = try json.optional(Key.metadata) {
                .metadata(name: name, longest: try json.required(Key.longest))
            } else {
                .content(sha256: try json.required(Key.sha256), length: try json.required(Key.length))
            }
        self.init(
            source, offset: try json.required(Key.offset), minimumSpeed: try json.required(Key.minimumSpeed),
            within: .nanoseconds(try json.required(Key.within) as Int))
    }

    package var json: JSONValue {
        let within = Int(within / .nanoseconds(1))
        return switch source {
        case .content(let sha256, let length):
            .object([
                Key.sha256: sha256, .length: length, .offset: offset, .minimumSpeed: minimumSpeed, .within: within,
            ])
        case .metadata(let name, let longest):
            .object([
                Key.metadata: name, .longest: longest, .offset: offset, .minimumSpeed: minimumSpeed, .within: within,
            ])
        }
    }
}

extension DownloadRequest: JSONConvertible {
    private enum Key: String { case type, id, order }

    package init(json: JSONValue) throws(JSONError) {
        let type: String = try json.required(Key.type)
        switch type {
        case "fetch": self = .fetch(id: try json.required(Key.id), try json.required(Key.order))
        case "stop": self = .stop(id: try json.required(Key.id))
        default: self = .unknown(type: type)
        }
    }

    package var json: JSONValue {
        switch self {
        case .fetch(let id, let order): .object([Key.type: "fetch", .id: id, .order: order])
        case .stop(let id): .object([Key.type: "stop", .id: id])
        case .unknown(let type): .object([Key.type: type])
        }
    }
}
