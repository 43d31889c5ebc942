import MonotonicTime
import Testing

@testable import DeviceConfiguration

@Suite struct DurationTextTests {
    @Test(
        "a duration is a sum of whole units, the larger first",
        arguments: [
            ("250ms", Duration.milliseconds(250)), ("5s", .seconds(5)), ("2m", .seconds(120)),
            ("1h", .seconds(3600)), ("1h30m", .seconds(5400)), ("1d", .seconds(86_400)), ("0s", .zero),
            ("1m5s250ms", .milliseconds(65_250)), ("007s", .seconds(7)), ("90m", .seconds(5400)),
            ("366d", .seconds(366 * 86_400)),
        ])
    func parses(text: String, duration: Duration) throws {
        #expect(try DurationText.parse(text) == duration)
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "5", "s", "5 s", " 5s", "5s ", "5S", "-5s", "+5s", "1.5s", "5s5", "1s1s", "1s1m", "1e3s", "0x5s", "5µs",
            "1y", "１s", "9223372036854775807d", "99999999999999999999999s", "367d", "366d1ms", "five",
        ])
    func refuses(text: String) {
        #expect(throws: TextMistake.self) { try DurationText.parse(text) }
    }

    @Test(
        "what is written reads the same again", arguments: [0, 1, 250, 999, 1000, 5000, 65_250, 5_400_000, 90_061_001])
    func roundTrip(milliseconds: Int) throws {
        let duration = Duration.milliseconds(milliseconds)
        #expect(try DurationText.parse(DurationText.render(duration)) == duration)
    }
}

@Suite struct SizeTextTests {
    @Test(
        "a size is a number of bytes or of one unit",
        arguments: [
            ("0", Int64(0)), ("512", 512), ("256K", 262_144), ("64M", 67_108_864), ("1G", 1_073_741_824),
            ("8388607T", 8_388_607 << 40),
        ])
    func parses(text: String, bytes: Int64) throws {
        #expect(try SizeText.parse(text) == bytes)
        #expect(try SizeText.parse(SizeText.render(bytes)) == bytes)
    }

    @Test(
        "anything else is refused",
        arguments: ["", "K", "-1", "+1", "1k", "1KB", "1 K", "1.5M", "8388608T", "9223372036854775808", "0x10", "1P"])
    func refuses(text: String) {
        #expect(throws: TextMistake.self) { try SizeText.parse(text) }
    }
}

@Suite struct NearestNameTests {
    @Test(
        "the distance counts insertions, deletions, replacements and swaps",
        arguments: [
            ("watchdog", "watchdog", 0), ("watchdog", "wachdog", 1), ("watchdog", "watchdogs", 1),
            ("watchdog", "watchdgo", 1), ("watchdog", "watchcat", 3), ("", "abc", 3), ("abc", "", 3),
        ])
    func distance(left: String, right: String, expected: Int) {
        #expect(NearestName.editDistance(left, right) == expected)
    }

    @Test("only what is close is suggested")
    func suggests() {
        #expect(NearestName.of("wachdog", among: ["restart", "watchdog"]) == "watchdog")
        #expect(NearestName.of("Restart", among: ["restart", "watchdog"]) == "restart")
        #expect(NearestName.of("telemetry", among: ["restart", "watchdog"]) == nil)
        #expect(NearestName.of(String(repeating: "a", count: 100_000), among: ["restart"]) == nil)
        #expect(NearestName.of("x", among: []) == nil)
    }
}

@Suite struct TOMLTextTests {
    @Test(
        "a value that is written is read back",
        arguments: [
            .string(""), .string("a \"b\" \\ \n\r\t\u{0}\u{1b}\u{7f}\u{200b}\u{E0001} é 🌡 # ' ="), .integer(-5),
            .integer(.max), .float(0.2), .float(1), .float(1e300), .float(-.infinity), .boolean(true), .strings([]),
            .strings(["a, b", "]"]), .table([]), .table([("a b", .string("x")), ("c", .table([("", .integer(1))]))]),
        ] as [TOMLValue])
    func roundTrip(value: TOMLValue) throws {
        let text = TOMLText.value(value)
        #expect(!text.utf8.contains { $0 < 0x20 })
        let table = try TOMLParser.parse(Array("key = \(text)".utf8))
        let read = try #require(table["key"]?.value)
        // Places apart.
        #expect(TOMLText.value(read) == text)
        if case .string = value { #expect(read == value) }
    }
}

@Suite struct ChildNameTests {
    @Test(
        "a text becomes the name that is nearest to it",
        arguments: [
            ("camera-1.x_y", "camera-1.x_y"), ("press line 4", "press-line-4"), ("  a  b ", "a-b-"), ("größe", "gr-e"),
            ("-a", "a"), ("root", "root"),
            (String(repeating: "a", count: 70), String(repeating: "a", count: 60)),
        ])
    func nearest(text: String, name: String) {
        #expect(ChildName.nearest(to: text) == name)
        #expect(ChildName.isWellFormed(name))
    }

    @Test("a text without a letter or digit becomes none", arguments: ["", "---", "日本", "/"])
    func none(text: String) {
        #expect(ChildName.nearest(to: text) == nil)
    }
}
