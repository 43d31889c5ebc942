import HoldfastPlugin
import SeededRandom
import Testing

struct JSONTests {
    private static let readable: [(text: String, value: JSON)] = [
        ("null", nil), (" true ", true), ("-0.5e1", -5.0), ("12", 12), ("[]", []), ("{}", [:]),
        (#"{"a":[1,{"b":"ü\n\u00e9\ud83d\ude00"}]}"#, ["a": [1, ["b": "ü\né😀"]]]),
        ("9223372036854775808", .double(9_223_372_036_854_775_808)),
    ]

    @Test(arguments: readable) func `JSON is read`(text: String, value: JSON) throws {
        #expect(try JSON(parsing: text) == value)
    }

    @Test(arguments: [
        "", "nul", "01", "1.", "-", "+1", "1e", "[1,]", "[1", "{\"a\"}", "{a:1}", "\"\n\"", "\"\\x\"", "\"\\ud800\"",
        "\"\\u+123\"", "1 2", "{\"a\":1,}", "\"", String(repeating: "[", count: 100_000), "1e999",
    ]) func `what is no JSON is refused`(text: String) {
        #expect(throws: JSON.ParsingError.self) { try JSON(parsing: text) }
    }

    @Test func `what is no UTF-8 is refused`() {
        #expect(throws: JSON.ParsingError.self) { try JSON(parsing: [0x22, 0xe9, 0x22]) }
    }

    @Test func `what is written reads back as the same`() throws {
        let value: JSON = [
            "text": "quote \" backslash \\ line\n tab\t bell\u{07} delete\u{7f} é😀", "numbers": [0, -1, 0.1, 1e300],
            "nested": ["a": [:], "b": [], "c": nil, "d": false],
        ]
        #expect(try JSON(parsing: value.text) == value)
        #expect(JSON.double(.infinity).text == "null")
        #expect(JSON.object(["b": 1, "a": 2]).text == #"{"a":2,"b":1}"#)
    }

    @Test func `bytes that change at random are read or refused, and never crash`() {
        var random = SeededGenerator(seed: 6)
        let text = Array(#"{"a":[1,2.5e3,"é\u00e9\n",{"b":null,"c":true}],"d":-7}"#.utf8)
        for _ in 0..<20_000 {
            var changed = text
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                changed[Int.random(in: changed.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let value = try? JSON(parsing: changed) else { continue }
            #expect((try? JSON(parsing: value.text)) == value)
        }
    }
}
