/// Where a piece of the configuration comes from.
package enum SourceOrigin: Hashable, Sendable {
    /// A file, by its path as it was opened.
    case file(String)
    /// An environment variable, by its name.
    case variable(String)
}

extension SourceOrigin: CustomStringConvertible {
    /// "/etc/holdfast/holdfast.toml", or "environment: HOLDFAST_CONFIG__RUNTIME__NAME".
    package var description: String {
        switch self {
        case .file(let path): path
        case .variable(let name): "environment: \(name)"
        }
    }
}

/// A place in the configuration.
package struct SourcePlace: Hashable, Sendable {
    package var origin: SourceOrigin
    /// Within a file; `nil` for a variable, which is short enough.
    package var position: TextPosition?

    package init(file: String, position: TextPosition) {
        origin = .file(file)
        self.position = position
    }

    package init(variable: String) {
        origin = .variable(variable)
    }

    /// A position only counts in a file.
    init(_ origin: SourceOrigin, _ position: TextPosition) {
        self.origin = origin
        if case .file = origin { self.position = position }
    }
}

extension SourcePlace: CustomStringConvertible {
    /// "file:line:column", which editors jump to; or "environment: HOLDFAST_CONFIG__RUNTIME__NAME".
    package var description: String {
        position.map { "\(origin):\($0.line):\($0.column)" } ?? origin.description
    }
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
    package var origin: SourceOrigin
    /// `nil` when the whole file or variable is meant.
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
        self.origin = .file(file)
        self.position = position
        self.key = key
        self.message = message
        self.allowed = allowed
    }

    package init(kind: Kind, at place: SourcePlace, key: String? = nil, message: String, allowed: String? = nil) {
        self.kind = kind
        self.origin = place.origin
        self.position = place.position
        self.key = key
        self.message = message
        self.allowed = allowed
    }
}

extension ConfigurationProblem: CustomStringConvertible {
    /// "file:line:column: key.path: what is wrong; allowed: what is allowed", on one line.
    package var description: String {
        var text = origin.description.printable
        if let position { text += ":\(position.line):\(position.column)" }
        if let key { text += ": \(key)" }
        text += ": \(message)"
        if let allowed { text += "; allowed: \(allowed)" }
        return text
    }
}
