import ControlProtocol

extension PluginRequest {
    private enum Key: String {
        case name, sha256, version, method, parameters, reading, length
        case within = "within_s"
    }

    /// In bytes.
    private static let longestName = 128

    /// - Throws: what is wrong with the arguments.
    package init(name: String, arguments: some Collection<UInt8>) throws(PluginRefusal) {
        guard !name.isEmpty, name.utf8.count <= Self.longestName else {
            throw PluginRefusal(.invalid, "a request has a name of at most \(Self.longestName) bytes")
        }
        do throws(JSONError) {
            let json = arguments.isEmpty ? .object([:]) : try JSONValue.parse(Array(arguments))
            self.init(name: name, call: try Self.call(name, json))
        } catch {
            throw PluginRefusal(.invalid, "the arguments of \(name) are wrong: \(error)")
        }
        if case .fetchArtifact(let artifact, let digest, _, _) = call { try Self.check(artifact, digest) }
    }

    private static func call(_ name: String, _ json: JSONValue) throws(JSONError) -> Call {
        switch name {
        case "artifact.fetch":
            .fetchArtifact(
                name: try json.required(Key.name), sha256: try json.required(Key.sha256),
                length: try json.optional(Key.length),
                within: try (json.optional(Key.within) as Double?).map { .seconds(min(max($0, 0), 1e9)) })
        case "bundle.activate":
            .activateBundle(name: try json.required(Key.name), version: try json.required(Key.version))
        case "bundle.restore":
            .restoreBundle(name: try json.required(Key.name), version: try json.optional(Key.version))
        case "tree.ask":
            .askTree(method: try json.required(Key.method), parameters: try json.optional(Key.parameters) ?? [:])
        case "telemetry.emit": .emit(try json.required(Key.reading))
        default: .other(try JSONObject(json: json))
        }
    }

    private static func check(_ name: String, _ digest: String) throws(PluginRefusal) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else {
            throw PluginRefusal(
                .invalid, "'\(name)' is no name of an artifact: words joined by /, none of them . or ..")
        }
        let digits = Set("0123456789abcdef".utf8)
        guard digest.utf8.count == 64, digest.utf8.allSatisfy(digits.contains) else {
            throw PluginRefusal(.invalid, "'\(digest)' is no SHA-256: 64 digits of 0-9 and a-f")
        }
    }
}
