import CPluginABI

/// Makes a Swift type known to the host, by the C contract.
public enum PluginEntry {
    /// SAFETY: the host calls the entry once, before `execute` and on the same thread (docs/plugin-abi.md, L2).
    private nonisolated(unsafe) static var executor: (any Executor.Type)?

    /// What `hf_plugin_entry_v1` returns. Call it from there, and from nowhere else.
    public static func descriptor<Type: Executor>(of type: Type.Type) -> UnsafeRawPointer {
        executor = type
        let plugin = type.plugin
        let kinds = UnsafeMutableBufferPointer<hf_plugin_kind>.allocate(capacity: plugin.kinds.count)
        for (index, kind) in plugin.kinds.enumerated() {
            let element = hf_plugin_kind(
                flags: kind.traits.rawValue, reserved: 0, name: permanent(kind.name),
                summary: kind.summary.isEmpty ? nil : permanent(kind.summary))
            kinds.initializeElement(at: index, to: element)
        }
        let grants = UnsafeMutableBufferPointer<UnsafePointer<CChar>?>.allocate(capacity: plugin.grants.count)
        for (index, grant) in plugin.grants.enumerated() {
            grants.initializeElement(at: index, to: permanent(grant.rawValue))
        }
        let descriptor = UnsafeMutablePointer<hf_plugin_descriptor>.allocate(capacity: 1)
        descriptor.initialize(
            to: hf_plugin_descriptor(
                size: UInt32(MemoryLayout<hf_plugin_descriptor>.size), abi_version: HF_PLUGIN_ABI_VERSION,
                kind_size: UInt32(MemoryLayout<hf_plugin_kind>.size), kind_count: UInt32(plugin.kinds.count),
                grant_count: UInt32(plugin.grants.count), reserved: 0, name: permanent(plugin.name),
                version: permanent(plugin.version), summary: plugin.summary.isEmpty ? nil : permanent(plugin.summary),
                kinds: kinds.baseAddress, grants: grants.baseAddress, execute: { PluginEntry.execute($0, $1) }))
        return UnsafeRawPointer(descriptor)
    }

    private static func execute(_ table: UnsafePointer<hf_host>?, _ command: UnsafePointer<hf_command>?) -> Int32 {
        guard let table, let command, let executor else { return Int32(HF_ERROR_INVALID) }
        do {
            let result = try executor.init().execute(Command(command), on: Host(table: table))
            var text = result.text
            return text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    table.pointee.set_result(table, $0.baseAddress, $0.count)
                }
            }
        } catch {
            table.pointee.set_failure(table, "\(error)")
            return (error as? HostError)?.code ?? Int32(HF_ERROR_FAILED)
        }
    }

    /// A C string that stays until the process ends.
    private static func permanent(_ text: String) -> UnsafePointer<CChar> {
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.utf8.count + 1)
        for (index, byte) in text.utf8.enumerated() { copy[index] = CChar(bitPattern: byte) }
        copy[text.utf8.count] = 0
        return UnsafePointer(copy)
    }
}
