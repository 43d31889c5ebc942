import HoldfastPlugin

/// Brings a version of a bundle onto the device and runs it. The command has succeeded when the version has proved itself; what
/// else can become of it is docs/deployment.md's.
///
///     bundle.deploy  {"bundle": "vision", "version": "1.4.2@0123456789abcdef", "file": "vision-1.4.2.tar.zst"}
struct Deploy: Executor {
    static let plugin = PluginDescription(
        name: "deploy", version: "1.0.0", summary: "Deploys bundles.",
        kinds: [
            // Beside each other: a newer one takes the place of an older one, which ends as superseded.
            .init(
                "bundle.deploy", [.parallel, .repeatable, .cancellable],
                summary: "Brings a version of a bundle and runs it.")
        ], grants: [.bundle])

    func execute(_ command: Command, on host: Host) throws -> JSON {
        let payload = command.payload
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
