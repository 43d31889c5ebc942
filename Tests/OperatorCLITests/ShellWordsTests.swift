import SeededRandom
import Foundation
import Testing

@testable import OperatorCLI

@Suite(.timeLimit(.minutes(1))) struct ShellWordsTests {
    @Test(arguments: [
        ("python3 sensors/temp.py", ["python3", "sensors/temp.py"]),
        ("  a\t b\n c  ", ["a", "b", "c"]),
        ("", []),
        (#"a "b c" 'd e'"#, ["a", "b c", "d e"]),
        (#"a"b"'c'd ''"#, ["abcd", ""]),
        (#"a\ b \"c\" \\ \"#, ["a b", "\"c\"", "\\", "\\"]),
        (#""a\"b\\c\d" 'a\b'"#, [#"a"b\c\d"#, #"a\b"#]),
        ("a\\\nb \"c\\\nd\"", ["ab", "cd"]),
    ])
    func `a command is split as by a shell`(command: String, words: [String]) {
        let result = ShellWords(command)
        #expect(result.words == words)
        #expect(result.openQuote == nil)
        #expect(result.shellSyntax == [])
    }

    @Test(arguments: [
        ("a | b || c", ["|", "||"]), ("a && b & c; d", ["&&", "&", ";"]), ("a >b >>c <d 2>&1", [">", ">>", "<", "&"]),
        ("(a)", ["(", ")"]), ("a $HOME \"$X\" ${Y} $(z) `w`", ["$HOME", "$X", "${", "$(", "(", ")", "`"]),
        ("a *.py b? [c]", ["*", "?", "["]), ("~/a b~ #c d#", ["~", "#"]), ("A=1 b A=2", ["A=1"]),
        ("a '$HOME|*' \\$x \"\\$y\" $ b=c", []), ("a|b|c", ["|"]),
    ])
    func `what only a shell would act upon is told and left as it is`(command: String, syntax: [String]) {
        let result = ShellWords(command)
        #expect(result.shellSyntax == syntax)
        #expect(result.words.joined(separator: " ").count >= command.filter { !"\"'\\".contains($0) }.count - 2)
    }

    @Test func `shell syntax is part of the words`() {
        #expect(ShellWords("cat $HOME/x|grep y && z").words == ["cat", "$HOME/x|grep", "y", "&&", "z"])
    }

    @Test(arguments: [("a 'b", "'"), ("a \"b\\\"", "\""), ("it's", "'")])
    func `a quote that is not closed is told`(command: String, quote: Character) {
        #expect(ShellWords(command).openQuote == quote)
    }

    @Test(arguments: [1, UInt64.random(in: 2 ... .max)])
    func `random commands are split as sh splits them`(seed: UInt64) throws {
        print("random commands: seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let characters = Array("ab  \t'\"\\\\\n$-=")
        let commands = (0..<3000).map { _ in
            String(
                (0..<Int.random(in: 0..<14, using: &generator)).map { _ in
                    characters.randomElement(using: &generator) ?? "a"
                })
        }.filter { command in
            let result = ShellWords(command)
            // A line end outside of quotes ends a command of a script, and a backslash at the end takes ours away.
            return result.openQuote == nil && result.shellSyntax.isEmpty && !command.contains("\n")
                && !command.hasSuffix("\\")
        }
        #expect(commands.count > 500)
        let script = commands.map { "set -- \($0)\nprintf '%s\\n' $#\nfor word; do printf '<%s>\\n' \"$word\"; done\n" }
            .joined()
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        let (input, output) = (Pipe(), Pipe())
        (shell.standardInput, shell.standardOutput) = (input, output)
        let path = FileManager.default.temporaryDirectory.appending(path: "hf-words-\(UUID().uuidString.prefix(8))")
        defer { try? FileManager.default.removeItem(at: path) }
        try script.write(to: path, atomically: true, encoding: .utf8)
        shell.arguments = [path.path]
        try shell.run()
        let answer = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        shell.waitUntilExit()
        let expected = commands.map { command in
            let words = ShellWords(command).words
            return "\(words.count)\n" + words.map { "<\($0)>\n" }.joined()
        }.joined()
        #expect(answer == expected)
    }
}
