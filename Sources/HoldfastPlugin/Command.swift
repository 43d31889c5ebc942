import CPluginABI

/// What the plugin is to do.
public struct Command: Sendable {
    /// The same command has the same id, whenever it is executed again.
    public let id: String
    /// One of the plugin's kinds.
    public let kind: String
    /// What came with it; `.null` when nothing did.
    public let payload: JSON

    init(_ command: UnsafePointer<hf_command>) throws {
        id = String(cString: command.pointee.id)
        kind = String(cString: command.pointee.kind)
        let bytes = UnsafeRawBufferPointer(start: command.pointee.payload, count: command.pointee.payload_length)
        payload = try JSON(parsing: Array(bytes))
    }
}
