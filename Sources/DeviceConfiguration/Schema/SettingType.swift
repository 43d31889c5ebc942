/// A kind of value: what is allowed, how it is read, and how it is written.
struct SettingType<Value: Sendable>: Sendable {
    /// What is allowed, in words that follow "allowed:" and fill the type column of the reference.
    let allowed: String
    /// How an environment variable writes it.
    let form: OverrideForm
    /// The value of a node; or `nil` after the problem has been added.
    let read: @Sendable (TOMLNode, SettingSite, ProblemCollector) -> Value?
    /// The value as the configuration would write it.
    let write: @Sendable (Value) -> TOMLValue

    /// A type whose every mistake is about the whole value: `parse` answers the value, or throws what is wrong.
    init(
        allowed: String, form: OverrideForm = .text, write: @escaping @Sendable (Value) -> TOMLValue,
        parse: @escaping @Sendable (TOMLValue) throws(TextMistake) -> Value
    ) {
        self.init(allowed: allowed, form: form, write: write) { node, site, problems in
            do throws(TextMistake) {
                return try parse(node.value)
            } catch {
                problems.add(site.place(node), site.key, error.reason, allowed: allowed)
                return nil
            }
        }
    }

    /// A type with parts of its own, each with its own place.
    init(
        allowed: String, form: OverrideForm = .text, write: @escaping @Sendable (Value) -> TOMLValue,
        read: @escaping @Sendable (TOMLNode, SettingSite, ProblemCollector) -> Value?
    ) {
        self.allowed = allowed
        self.form = form
        self.write = write
        self.read = read
    }
}

/// Where a value is being read: the file or variable, and the key's path for messages.
struct SettingSite: Sendable {
    var origin: SourceOrigin
    var key: String

    func place(_ node: TOMLNode) -> SourcePlace { SourcePlace(origin, node.position) }

    /// The element of an array, counted from 1 as people do.
    func element(_ index: Int) -> SettingSite { SettingSite(origin: origin, key: "\(key)[\(index + 1)]") }

    func child(_ name: String) -> SettingSite { SettingSite(origin: origin, key: "\(key).\(name.asKeyPart)") }
}

extension TOMLValue {
    /// The text of a string that can be handed to the kernel.
    func text() throws(TextMistake) -> String {
        guard case .string(let text) = self else { throw TextMistake(reason: "found \(inWords)") }
        guard !text.utf8.contains(0) else { throw TextMistake(reason: "contains a NUL character") }
        return text
    }
}
