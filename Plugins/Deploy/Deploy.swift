import HoldfastPlugin

/// Brings versions of bundles onto the device, and takes earlier ones back. A command has succeeded when its version has proved
/// itself; what else can become of it is docs/deployment.md's.
///
///     bundle.deploy    {"bundle": "vision", "version": "1.4.2@0123456789abcdef", "file": "vision-1.4.2.tar.zst"}
///     bundle.rollback  {"bundle": "vision"}
///
/// Both in one library: each carries the Swift runtime inside, and both need the same grant.
struct Deploy: Executor {
    static let plugin = PluginDescription(
        name: "deploy", version: "1.0.0", summary: "Deploys bundles, and takes them back.",
        kinds: [
            // Beside each other: a newer one takes the place of an older one, which ends as superseded.
            .init(
                deployKind, [.parallel, .repeatable, .cancellable], summary: "Brings a version of a bundle and runs it."
            ),
            .init(
                rollbackKind, [.parallel, .repeatable, .cancellable],
                summary: "Runs an earlier version of a bundle again."
            ),
        ], grants: [.bundle])

    private static let deployKind = "bundle.deploy"
    private static let rollbackKind = "bundle.rollback"

    func execute(_ command: Command, on host: Host) throws -> JSON {
        try command.kind == Self.rollbackKind ? rollback(command.payload, host) : deploy(command.payload, host)
    }

    private func deploy(_ payload: JSON, _ host: Host) throws -> JSON {
        guard let bundle = payload["bundle"]?.string, let version = payload["version"]?.string else {
            throw PluginFailure(
                "the payload has to name a bundle and a version, such as "
                    + #"{"bundle": "vision", "version": "1.4.2@0123456789abcdef", "file": "vision-1.4.2.tar.zst"}"#)
        }
        var order: [String: JSON] = ["name": .string(bundle), "version": .string(version)]
        for key in ["file", "force", "download_within_s"] { order[key] = payload[key] }
        return try host.request("bundle.deploy", .object(order)).answer
    }
}

@_cdecl("hf_plugin_entry_v1")
public func entry() -> UnsafeRawPointer { PluginEntry.descriptor(of: Deploy.self) }
