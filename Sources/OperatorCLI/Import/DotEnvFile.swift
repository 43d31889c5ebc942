/// The assignments of a `.env` file, as shells, systemd's `EnvironmentFile=` and python-dotenv agree on it; where they
/// do not, docs/migrating-from-imunoedge.md says what holds. Nothing is expanded and nothing is run.
struct DotEnvFile: Equatable {
    struct Assignment: Equatable {
        var name: String
        var value: String
        /// Where it begins, from 1.
        var line: Int
    }

    /// In the order of the file; a name may stand several times.
    private(set) var assignments: [Assignment] = []
    /// Everything that is wrong, in the order of the file.
    private(set) var problems: [ImportProblem] = []

    init(_ bytes: [UInt8]) {
        var parser = DotEnvParser(bytes)
        parser.run()
        assignments = parser.assignments
        problems = parser.problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }
}

/// What is wrong with a file that is to be imported.
struct ImportProblem: Equatable {
    /// `nil` when no line is to blame.
    var line: Int?
    var message: String
}

private struct DotEnvParser {
    private(set) var assignments: [DotEnvFile.Assignment] = []
    private(set) var problems: [ImportProblem] = []
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    init(_ bytes: [UInt8]) {
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        self.bytes = bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(3)) : bytes
    }

    mutating func run() {
        guard String(validating: bytes, as: UTF8.self) != nil else { return report(nil, "is not UTF-8 text") }
        while position < bytes.count {
            readLine()
            skipLine()
        }
    }

    // MARK: Lines

    /// Stops somewhere in the last line that it has used.
    private mutating func readLine() {
        let start = line
        skipBlanks()
        // systemd takes ";" for a comment, too.
        if isAtEndOfLine || peek == UInt8(ascii: "#") || peek == UInt8(ascii: ";") { return }
        var name = text(readWhile { $0 != UInt8(ascii: "=") })
        if name.hasPrefix("export"), let next = name.dropFirst(6).utf8.first, isBlank(next) {
            name = name.dropFirst(7).trimmed
        }
        guard peek == UInt8(ascii: "=") else {
            return report(start, "\(name.quotedForMessage) is no assignment; allowed: NAME=value")
        }
        position += 1
        let value: String?
        let beforeBlanks = position
        skipBlanks()
        switch peek {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): value = readQuoted()
        default: value = readBare(isAfterBlank: position > beforeBlanks)
        }
        guard DotEnvParser.isName(name) else {
            return report(
                start,
                "\(name.quotedForMessage) is not a name; allowed: letters, digits and \"_\", the first no digit")
        }
        guard let value else { return }
        guard !value.utf8.contains(0) else { return report(start, "\(name) contains a NUL character") }
        assignments.append(DotEnvFile.Assignment(name: name, value: value, line: start))
    }

    /// Up to the end of the line, or a comment: a "#" behind a blank.
    private mutating func readBare(isAfterBlank: Bool) -> String {
        var wasBlank = isAfterBlank
        let value = readWhile { byte in
            defer { wasBlank = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
            return !(wasBlank && byte == UInt8(ascii: "#"))
        }
        return text(value)
    }

    /// A value in quotes, which may go over several lines; `nil` after a problem has been reported.
    private mutating func readQuoted() -> String? {
        let quote = bytes[position]
        let (start, startLine) = (position, line)
        position += 1
        var value: [UInt8] = []
        while position < bytes.count, bytes[position] != quote {
            if quote == UInt8(ascii: "\""), bytes[position] == UInt8(ascii: "\\"), position + 1 < bytes.count {
                readEscape(&value)
            } else {
                // CR LF is one line end.
                if !isCarriageReturnOfLineEnd { value.append(bytes[position]) }
                advance()
            }
        }
        guard position < bytes.count else {
            // Whatever follows is read again, for its own problems.
            (position, line) = (start, startLine)
            report(startLine, "the quote \(Character(Unicode.Scalar(quote))) is not closed")
            return nil
        }
        position += 1
        let end = line
        skipBlanks()
        guard isAtEndOfLine || peek == UInt8(ascii: "#") else {
            let opened = startLine == end ? "" : " that was opened on line \(startLine)"
            report(end, "there is text behind the closing quote\(opened)")
            return nil
        }
        return String(decoding: value, as: UTF8.self)
    }

    /// Within double quotes. What is no escape keeps its backslash.
    private mutating func readEscape(_ value: inout [UInt8]) {
        let escaped = bytes[position + 1]
        switch escaped {
        case UInt8(ascii: "n"): value.append(UInt8(ascii: "\n"))
        case UInt8(ascii: "r"): value.append(UInt8(ascii: "\r"))
        case UInt8(ascii: "t"): value.append(UInt8(ascii: "\t"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "$"), UInt8(ascii: "`"), UInt8(ascii: "'"):
            value.append(escaped)
        case UInt8(ascii: "\n"): break  // a line that goes on
        default: value += [UInt8(ascii: "\\"), escaped]
        }
        advance()
        advance()
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }
    private var isAtEndOfLine: Bool {
        peek == nil || peek == UInt8(ascii: "\n") || isCarriageReturnOfLineEnd
    }
    private var isCarriageReturnOfLineEnd: Bool {
        peek == UInt8(ascii: "\r")
            && (position + 1 == bytes.count || bytes[position + 1] == UInt8(ascii: "\n"))
    }

    private mutating func advance() {
        if bytes[position] == UInt8(ascii: "\n") { line += 1 }
        position += 1
    }

    private mutating func skipBlanks() {
        while let peek, isBlank(peek) { position += 1 }
    }

    private mutating func skipLine() {
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
        if position < bytes.count { advance() }
    }

    private mutating func readWhile(_ condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = position
        while !isAtEndOfLine, condition(bytes[position]) { position += 1 }
        return bytes[start..<position]
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self).trimmed }

    private func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    private mutating func report(_ line: Int?, _ message: String) {
        problems.append(ImportProblem(line: line, message: message))
    }
}

extension StringProtocol {
    /// Without blanks around it.
    var trimmed: String {
        var rest = Substring(self).unicodeScalars
        while let first = rest.first, first.isBlank { rest.removeFirst() }
        while let last = rest.last, last.isBlank { rest.removeLast() }
        return String(Substring(rest))
    }

    /// In quotes, on one line, at most 60 characters of it.
    var quotedForMessage: String {
        let shown = String(unicodeScalars.prefix(60).map(Character.init)).escapedForTerminal
        return "\"\(shown)\"" + (unicodeScalars.count > 60 ? "..." : "")
    }
}

extension Unicode.Scalar {
    fileprivate var isBlank: Bool { self == " " || self == "\t" || self == "\r" }
}
