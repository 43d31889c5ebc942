import SeededRandom
import Foundation
import Testing

@testable import OperatorCLI

/// One text and what must be read from it.
struct DotEnvCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var values: [[String]]

    init(_ description: String, _ text: String, _ values: [String]...) {
        (testDescription, self.text, self.values) = (description, text, values)
    }
}

private let good: [DotEnvCase] = [
    DotEnvCase("nothing", ""),
    DotEnvCase("comments and blank lines", "# a\n\n  \t\n  # b=c\n; d=e\n"),
    DotEnvCase("plain values", "A=1\nB=two words\nC=\n", ["A", "1"], ["B", "two words"], ["C", ""]),
    DotEnvCase("blanks around", "  A  =  x  \n\tB\t=\ty\t\n", ["A", "x"], ["B", "y"]),
    DotEnvCase("export", "export A=1\nexport\tB=2\nexported=3\n", ["A", "1"], ["B", "2"], ["exported", "3"]),
    DotEnvCase("no line end at the end", "A=1\nB='2'", ["A", "1"], ["B", "2"]),
    DotEnvCase(
        "CR LF", "A=1\r\nB=\"2\" # x\r\n# c\r\nC='3'\r\nD=4\r", ["A", "1"], ["B", "2"], ["C", "3"], ["D", "4"]),
    DotEnvCase("a byte order mark", "\u{FEFF}A=1\n", ["A", "1"]),
    DotEnvCase(
        "comments behind values", "A=1 # one\nB=1# no\nC=#x\nD= # y\nE=a #b# c\nF='1'# c\nG=\"#\"\t# d\n",
        ["A", "1"], ["B", "1# no"], ["C", "#x"], ["D", ""], ["E", "a"], ["F", "1"], ["G", "#"]),
    DotEnvCase("single quotes", #"A='a "b" \n $x # y'"#, ["A", #"a "b" \n $x # y"#]),
    DotEnvCase(
        "double quotes", #"A="a 'b' # y \" \\ \$x \` \' \n \t \r \x""#, ["A", "a 'b' # y \" \\ $x ` ' \n \t \r \\x"]),
    DotEnvCase("nothing is escaped outside of quotes", #"A=\n "b" $C ${D}"#, ["A", #"\n "b" $C ${D}"#]),
    DotEnvCase("several lines", "A='1\r\n2\n'\nB=\"3\n4\\\n5\"\nC=6", ["A", "1\n2\n"], ["B", "3\n45"], ["C", "6"]),
    DotEnvCase("other characters", "A=é 日本 🌡\nB='ü'\n", ["A", "é 日本 🌡"], ["B", "ü"]),
    DotEnvCase("an equals sign in the value", "A=b=c==\n", ["A", "b=c=="]),
    DotEnvCase("a name twice", "A=1\nA=2\n", ["A", "1"], ["A", "2"]),
]

private let bad: [DotEnvCase] = [
    DotEnvCase(
        "no assignment", "A\nexport B\nC=1\n", ["1", #""A" is no assignment; allowed: NAME=value"#],
        ["2", #""B" is no assignment; allowed: NAME=value"#]),
    DotEnvCase(
        "no name", "=1\n1A=2\nA B=3\nA-B='4\n5'\n",
        ["1", #""" is not a name; allowed: letters, digits and "_", the first no digit"#],
        ["2", #""1A" is not a name; allowed: letters, digits and "_", the first no digit"#],
        ["3", #""A B" is not a name; allowed: letters, digits and "_", the first no digit"#],
        ["4", #""A-B" is not a name; allowed: letters, digits and "_", the first no digit"#]),
    DotEnvCase(
        "quotes that are not closed, each told, and what follows is read", "A='x\nB=1\nC=\"y\nD\n",
        ["1", "the quote ' is not closed"], ["3", "the quote \" is not closed"],
        ["4", #""D" is no assignment; allowed: NAME=value"#]),
    DotEnvCase(
        "text behind a quote", "A='x' y\nB=\"1\n2\"3\nC='x'y\n", ["1", "there is text behind the closing quote"],
        ["3", "there is text behind the closing quote that was opened on line 2"],
        ["4", "there is text behind the closing quote"]),
    DotEnvCase("a NUL character", "A=1\nB=\u{0}\n", ["2", "B contains a NUL character"]),
    DotEnvCase(
        "what could steer a terminal", "\u{1b}[31m\n", ["1", #""\u{1b}[31m" is no assignment; allowed: NAME=value"#]),
]

@Suite struct DotEnvFileTests {
    @Test("a file is read as commonly written", arguments: good)
    func reading(_ example: DotEnvCase) {
        let file = DotEnvFile(Array(example.text.utf8))
        #expect(file.problems == [])
        #expect(file.assignments.map { [$0.name, $0.value] } == example.values)
    }

    @Test("everything wrong is told with its line, and the rest is read", arguments: bad)
    func problems(_ example: DotEnvCase) {
        let file = DotEnvFile(Array(example.text.utf8))
        #expect(file.problems.map { [$0.line.map(String.init) ?? "", $0.message] } == example.values)
    }

    @Test func `lines are counted through values of several lines`() {
        let file = DotEnvFile(Array("\nA='1\n2\n3' # x\nB=4\n".utf8))
        #expect(file.assignments.map(\.line) == [2, 5])
    }

    @Test func `bytes that are no text are one problem`() {
        #expect(DotEnvFile([0x41, 0x3D, 0xFF]).problems == [ImportProblem(message: "is not UTF-8 text")])
    }

    // MARK: Random text

    private static let tokens = [
        "A", "=", "'", "\"", "\\", "\n", "\r\n", "\r", "#", " ", "\t", "export ", "$", "`", "\\n", "é", "\u{0}", ";",
        "IMUNOEDGE_WORKERS=", "IMUNOEDGE_MAX_RESTARTS=", "IMUNOEDGE_DEVICE_ID=", "IMUNOEDGE_X=", "a:b c:true", ",", ":",
        "name:command", ":false", "1", "9999999999999999999999", "|", "&&", "\u{2028}", "~", "0.5", "1e999", "nan", "-",
    ]

    @Test(arguments: [1, 2, UInt64.random(in: 3 ... .max)])
    func `random text is read without a trap, and whatever comes of it is valid`(seed: UInt64) {
        print("random .env: seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let count = Int.random(in: 0..<30, using: &generator)
            let text = (0..<count).compactMap { _ in Self.tokens.randomElement(using: &generator) }.joined()
            expectSound(Array(text.utf8))
            expectSound((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        }
    }

    /// Either problems, each within the file, or a configuration without any.
    private func expectSound(_ bytes: [UInt8]) {
        let file = DotEnvFile(bytes)
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).count
        let result = ImunoEdgeImport(
            file, ImunoEdgeImport.Options(file: ".env", workingDirectory: "/", user: nil, launcher: nil))
        #expect((result.problems + result.warnings).allSatisfy { (1...lines).contains($0.line ?? 1) })
        #expect(result.problems.allSatisfy { !$0.message.utf8.contains { $0 < 0x20 } })
        guard result.problems.isEmpty else { return }
        #expect(
            ImportTests.problems(of: result.toml) == [], "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
    }

    @Test(arguments: [1, UInt64.random(in: 2 ... .max)])
    func `what is written in quotes is read back`(seed: UInt64) {
        print("quoted .env: seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let characters = Array("abc \t#'\"\\$`\n=;é🌡")
        for _ in 0..<2000 {
            let value = String(
                (0..<Int.random(in: 0..<12, using: &generator)).map { _ in
                    characters.randomElement(using: &generator) ?? "x"
                })
            var escaped = value
            for character in ["\\", "\"", "$", "`"] { escaped = escaped.replacing(character, with: "\\" + character) }
            var texts = ["A=\"\(escaped)\"\nB=1", "A=\"\(escaped.replacing("\n", with: "\\n"))\" # c\nB=1"]
            if !value.contains("'") { texts.append("export A='\(value)'\r\nB=1") }
            for text in texts {
                let file = DotEnvFile(Array(text.utf8))
                #expect(file.assignments.map(\.value) == [value, "1"], "\(text.debugDescription)")
                #expect(file.problems == [])
            }
        }
    }
}
