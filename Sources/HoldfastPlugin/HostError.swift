import CPluginABI

/// Why the host did not do what it was asked for.
public struct HostError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An HF_ERROR_*; others may come with later versions.
    public var code: Int32
    public var description: String

    /// It was not granted.
    public var isRefused: Bool { code == HF_ERROR_REFUSED }
    /// The command was cancelled, or its time is over.
    public var isCancelled: Bool { code == HF_ERROR_CANCELLED }
    /// This device offers no such thing.
    public var isUnsupported: Bool { code == HF_ERROR_UNSUPPORTED }
}
