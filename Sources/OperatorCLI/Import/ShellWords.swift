/// A command line split into words as a shell would (POSIX, Shell Command Language, 2.2 and 2.3), without doing anything
/// else that a shell does.
struct ShellWords: Equatable {
    private(set) var words: [String] = []
    /// What only a shell would act upon, as it stands in the command and each once: "|", "$HOME", "*".
    private(set) var shellSyntax: [String] = []
    /// Whether quotes or backslashes were taken away.
    private(set) var hasQuoting = false
    /// The quote that is not closed.
    private(set) var openQuote: Character?

    private var word = ""
    private var isInWord = false

    init(_ command: String) {
        var rest = Substring(command)
        while let character = rest.popFirst() {
            switch character {
            case " ", "\t", "\n", "\r", "\r\n": endWord()
            case "'": readSingleQuoted(&rest)
            case "\"": readDoubleQuoted(&rest)
            case "\\": readEscaped(&rest)
            default: read(character, &rest)
            }
        }
        endWord()
    }

    private mutating func endWord() {
        guard isInWord else { return }
        if words.isEmpty, let equals = word.firstIndex(of: "="), word[..<equals].isVariableName { note(word) }
        words.append(word)
        word = ""
        isInWord = false
    }

    private mutating func append(_ character: Character) {
        word.append(character)
        isInWord = true
    }

    private mutating func note(_ syntax: String) {
        if !shellSyntax.contains(syntax) { shellSyntax.append(syntax) }
    }

    private mutating func read(_ character: Character, _ rest: inout Substring) {
        switch character {
        case "|", "&", ";", "<", ">", "(", ")":
            // "&&" and ">>" are one.
            let isDouble = rest.first == character && !"()<".contains(character)
            note(String(repeating: character, count: isDouble ? 2 : 1))
            append(character)
            if isDouble, let second = rest.popFirst() { append(second) }
        case "$": readDollar(&rest)
        case "`", "*", "?", "[":
            note(String(character))
            append(character)
        case "~", "#":
            if !isInWord { note(String(character)) }
            append(character)
        default: append(character)
        }
    }

    private mutating func readDollar(_ rest: inout Substring) {
        append("$")
        let name = rest.prefix { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
        switch rest.first {
        case "{", "(": note("$\(rest.prefix(1))")
        case _ where !name.isEmpty: note("$\(name)")
        case "?", "!", "$", "@", "*", "#", "-": note("$\(rest.prefix(1))")
        default: break  // a "$" alone is one
        }
    }

    private mutating func readSingleQuoted(_ rest: inout Substring) {
        hasQuoting = true
        isInWord = true
        guard let end = rest.firstIndex(of: "'") else {
            openQuote = "'"
            word += rest
            rest = ""
            return
        }
        word += rest[..<end]
        rest = rest[rest.index(after: end)...]
    }

    private mutating func readDoubleQuoted(_ rest: inout Substring) {
        hasQuoting = true
        isInWord = true
        while let character = rest.popFirst() {
            switch character {
            case "\"": return
            case "\\":
                if let next = rest.first, "$`\"\\\n".contains(next) {
                    rest.removeFirst()
                    if next != "\n" { append(next) }
                } else {
                    append("\\")
                }
            case "$": readDollar(&rest)
            case "`":
                note("`")
                append("`")
            default: append(character)
            }
        }
        openQuote = "\""
    }

    private mutating func readEscaped(_ rest: inout Substring) {
        hasQuoting = true
        guard let next = rest.popFirst() else { return append("\\") }
        if next != "\n" && next != "\r\n" { append(next) }
    }
}

extension StringProtocol {
    fileprivate var isVariableName: Bool {
        guard let first, first == "_" || first.isASCII && first.isLetter else { return false }
        return allSatisfy { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
    }
}
