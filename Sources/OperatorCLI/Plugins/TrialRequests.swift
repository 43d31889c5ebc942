import ControlProtocol
import LinuxSystem
import PluginSession
import Trust

/// Answers a plugin's requests in a trial, as far as that goes without a runtime and central. What the plugin does not wish for is
/// refused, as on a device that grants every wish.
struct TrialRequests {
    /// The plugin's wishes.
    var grants: Set<String>
    /// A folder with artifacts by their names; `nil` for none.
    var artifacts: String?
    /// Called with what was emitted.
    var onReading: (JSONObject) -> Void

    func answer(_ request: PluginRequest) -> Result<PluginAnswer, PluginRefusal> {
        Result { () throws(PluginRefusal) in try self.perform(request) }
    }

    private func perform(_ request: PluginRequest) throws(PluginRefusal) -> PluginAnswer {
        if let grant = request.grant, grant != .telemetry, !grants.contains(grant.rawValue) {
            throw PluginRefusal(
                .notGranted, "\(request.name) needs the grant \(grant.rawValue), which is not among the plugin's wishes"
            )
        }
        switch request.call {
        case .emit(let reading):
            onReading(reading)
            return PluginAnswer()
        case .fetchArtifact(let name, let digest, _, _): return try fetch(name, digest)
        case .askTree:
            guard grants.contains(PluginGrant.treeRead.rawValue) || grants.contains(PluginGrant.treeControl.rawValue)
            else {
                throw PluginRefusal(
                    .notGranted, "\(request.name) needs the grant tree-read, which is not among the plugin's wishes")
            }
            throw PluginRefusal(.unsupported, "there is no supervisor tree in a trial")
        case .activateBundle, .restoreBundle: throw PluginRefusal(.unsupported, "there are no bundles in a trial")
        case .other: throw PluginRefusal(.unsupported, "there is no request \(request.name) in a trial")
        }
    }

    private func fetch(_ name: String, _ digest: String) throws(PluginRefusal) -> PluginAnswer {
        guard let artifacts else {
            throw PluginRefusal(.failed, "there is no folder of artifacts: say --artifacts FOLDER")
        }
        let path = "\(artifacts)/\(name)"
        do {
            let file = try SystemCall.open(path, [.readOnly, .nonBlocking])
            guard try SystemCall.status(file.rawValue).kind == .regular else {
                throw SystemError(call: "open", errno: SystemError.noSuchEntry, subject: path)
            }
            let found = try Self.digest(of: file.rawValue)
            guard found == digest else {
                throw PluginRefusal(.failed, "\(path) has the SHA-256 \(found), and not \(digest)")
            }
            return PluginAnswer(descriptor: SharedDescriptor(file))
        } catch let error as PluginRefusal {
            throw error
        } catch {
            throw PluginRefusal(.failed, "\(error)")
        }
    }

    /// Leaves the file at its beginning.
    private static func digest(of file: Int32) throws -> String {
        let hasher = try SHA256Hasher()
        var chunk = [UInt8](repeating: 0, count: 65_536)
        var place: Int64 = 0
        while true {
            let count = try chunk.withUnsafeMutableBytes { try SystemCall.read(file, into: $0, at: place) }
            if count == 0 { return try hasher.finish().hex }
            try chunk.withUnsafeBytes { try hasher.add(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            place += Int64(count)
        }
    }
}
