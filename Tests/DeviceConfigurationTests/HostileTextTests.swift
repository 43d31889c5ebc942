import LinuxSystem
import SeededRandom
import Testing

@testable import DeviceConfiguration

private let tokens = [
    "[", "[[", "]", "]]", ".", "\"", "'", "'''", "\"\"\"", "=", "{", "}", "\n", "\r\n", "a", "worker", "name",
    "[[worker]]\n",
    "[[supervisor]]\n", "[runtime]\n", "= \"5s\"\n", "= [", ",", "#", "\\", "\\u0041", "\\U0010FFFF", "\\x41", " ",
    "\t",
    "1", "-", "+", "0x", "1e5", "inf", "nan", "1979-05-27", "07:32:00", "T", "Z", ".5", "true", "é", "\u{2028}",
    "\u{FEFF}", "\u{0}", "\u{7F}", "_", "a.b.c", "\"\" = 1\n", "name = 'x'\n", "parent = 'x'\n", "[a.b]\n", "0b1",
    "9223372036854775808", "1_0",
].map { Array($0.utf8) }

@Suite(.timeLimit(.minutes(1))) struct HostileTextTests {
    private func read(_ bytes: [UInt8]) -> ConfigurationReport {
        let report = Configuration.read([ConfigurationSource(file: "t.toml", bytes: bytes)], hostName: "device")
        #expect((report.configuration == nil) == !report.problems.isEmpty)
        #expect(report.problems.allSatisfy { !$0.description.utf8.contains { $0 < 0x20 } })
        return report
    }

    @Test("every truncation of a good file is judged without a trap")
    func truncations() {
        let bytes = Array(goodConfiguration.utf8)
        for length in stride(from: 0, to: bytes.count, by: 3) { _ = read(Array(bytes[..<length])) }
    }

    @Test(
        "random damage and random text are judged without a trap",
        arguments: [1, 2, UInt64.random(in: 3 ... .max)])
    func noise(seed: UInt64) {
        // Shown with a failure; a trap shows it as the last line.
        print("hostile text: seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let good = Array(goodConfiguration.utf8)
        for _ in 0..<150 {
            var damaged = good
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                let place = Int.random(in: damaged.indices, using: &generator)
                if let token = tokens.randomElement(using: &generator), Bool.random(using: &generator) {
                    damaged.replaceSubrange(place...place, with: token)
                } else {
                    damaged[place] = UInt8.random(in: .min ... .max, using: &generator)
                }
            }
            _ = read(damaged)
            _ = read(
                (0..<Int.random(in: 0..<200, using: &generator)).map { _ in
                    .random(in: .min ... .max, using: &generator)
                })
        }
        for _ in 0..<1500 {
            let count = Int.random(in: 0..<40, using: &generator)
            _ = read((0..<count).flatMap { _ in tokens.randomElement(using: &generator) ?? [] })
        }
    }

    @Test(
        "text that toml++ itself does not survive is refused with its place",
        arguments: [
            ("[.a]", "t.toml:1:2"), ("a = [,]", "t.toml:1:6"), ("é = 1", "t.toml:1:1"), ("a = é", "t.toml:1:5"),
            ("[a]\nb = { é = 1 }", "t.toml:2:7"), ("a = \"\"\"\\\n é\"\"\"", "t.toml:1:1"),
        ])
    func upstreamFaults(text: String, place: String) {
        let report = read(Array(text.utf8))
        #expect(report.problems.first?.description.hasPrefix(place) == true, "\(report.problems)")
    }

    @Test("a megabyte of anything is judged in time, and its problems are limited")
    func megabyte() {
        func fill(_ line: (Int) -> String) -> [UInt8] {
            var bytes: [UInt8] = []
            var number = 0
            while bytes.count < 1 << 20 {
                bytes += Array(line(number).utf8)
                number += 1
            }
            return bytes
        }
        let texts = [
            fill { _ in "[[[a." }, fill { _ in "a." }, fill { _ in "[[worker]]\n" }, fill { "k\($0) = 1\n" },
            fill { "[a\($0).b]\n" }, fill { "[[supervisor]]\nname = \"s\($0)\"\nparent = \"s\($0 + 1)\"\n" },
            fill { "[[supervisor]]\nname = \"s\"\nparent = \"s\($0)\"\n" },
        ]
        for text in texts {
            let report = read(text)
            #expect(report.configuration == nil)
            #expect(report.problems.count <= ProblemCollector.limit + 1)
            #expect(report.problems.allSatisfy { $0.description.utf8.count < 2000 })
        }
    }
}
