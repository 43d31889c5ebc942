/// A place in a file of the configuration.
package struct SourcePlace: Hashable, Sendable {
    /// The file's path as it was opened.
    package var file: String
    package var position: TextPosition

    package init(file: String, position: TextPosition) {
        self.file = file
        self.position = position
    }
}

extension SourcePlace: CustomStringConvertible {
    /// "file:line:column", which editors jump to.
    package var description: String { "\(file):\(position.line):\(position.column)" }
}

/// One thing that is wrong with the configuration.
package struct ConfigurationProblem: Hashable, Sendable {
    package enum Kind: String, Sendable {
        /// A file cannot be read, or is not text.
        case file
        /// A file is no TOML.
        case syntax
        /// A key is unknown, missing, or has a value that it cannot have.
        case setting
        /// The configuration is right, but this machine lacks something that it names: a program, a directory, a user.
        case environment
    }

    package var kind: Kind
    package var file: String
    /// `nil` when the whole file is meant.
    package var position: TextPosition?
    /// The key's path, such as "worker.camera.watchdog"; `nil` when no key is meant.
    package var key: String?
    /// What is wrong.
    package var message: String
    /// What is allowed, or what to do; `nil` when the message says all there is to say.
    package var allowed: String?

    package init(
        kind: Kind, file: String, position: TextPosition? = nil, key: String? = nil, message: String,
        allowed: String? = nil
    ) {
        self.kind = kind
        self.file = file
        self.position = position
        self.key = key
        self.message = message
        self.allowed = allowed
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// "file:line:column: key.path: what is wrong; allowed: what is allowed", on one line.
    package var description: String {
        var text = file.printable
        if let position { text += ":\(position.line):\(position.column)" }
        if let key { text += ": \(key)" }
        text += ": \(message)"
        if let allowed { text += "; allowed: \(allowed)" }
        return text
    }
}
