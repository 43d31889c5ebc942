import CPluginABI

/// What a plugin says of itself.
public struct PluginDescription: Sendable {
    /// A kind of command that it executes.
    public struct Kind: Sendable {
        /// Such as "lamp.blink": words of a-z, 0-9 and "-", joined by dots.
        public var name: String
        public var traits: Traits
        /// One line for people.
        public var summary: String

        public init(_ name: String, _ traits: Traits = [], summary: String = "") {
            self.name = name
            self.traits = traits
            self.summary = summary
        }
    }

    /// What is true of a kind (HF_KIND_* in holdfast_plugin.h).
    public struct Traits: OptionSet, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Several commands of this kind may run at the same time.
        public static let parallel = Traits(rawValue: 1 << 0)
        /// It does no harm to execute the same command twice.
        public static let repeatable = Traits(rawValue: 1 << 1)
        /// It asks `Host.isCancelled`, and ends soon when that is true.
        public static let cancellable = Traits(rawValue: 1 << 2)
    }

    /// What a plugin can wish for. Wishing grants nothing.
    public enum Grant: String, Sendable {
        case artifact, bundle, model, network
        case treeRead = "tree-read"
        case treeControl = "tree-control"
    }

    /// a-z, 0-9 and "-", beginning with a letter.
    public var name: String
    /// Such as "1.4.0".
    public var version: String
    public var summary: String
    public var kinds: [Kind]
    public var grants: [Grant]

    public init(name: String, version: String, summary: String = "", kinds: [Kind], grants: [Grant] = []) {
        self.name = name
        self.version = version
        self.summary = summary
        self.kinds = kinds
        self.grants = grants
    }
}
