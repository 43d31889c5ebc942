import ControlProtocol
import Testing

@testable import UplinkRuntime

/// What a line says, as JSON; or the reason why it says nothing.
private func read(_ text: [UInt8]) -> String {
    text.withUnsafeBytes { bytes in
        do throws(TelemetryFault) {
            switch try TelemetryLine(bytes) {
            case .reading(let values, let time): return "\(time.map { "\($0) " } ?? "")\(JSONValue.object(values).text)"
            case .event(let name, let data, let time):
                return "\(time.map { "\($0) " } ?? "")\(name)! \(JSONValue.object(data).text)"
            }
        } catch {
            return error.reason.rawValue
        }
    }
}

private func read(_ text: String) -> String { read(Array(text.utf8)) }

@Suite struct TelemetryLineTests {
    @Test(
        "each form of an object is read",
        arguments: [
            (#"{"name": "temp", "value": 21.5}"#, #"{"temp":21.5}"#),
            (#"{"name": "door", "value": true}"#, #"{"door":true}"#),
            (#"{"name": "vib", "values": {"x": 1, "y": 2}}"#, #"{"vib.x":1,"vib.y":2}"#),
            (#"{"fps": 30, "temp": 21}"#, #"{"fps":30,"temp":21}"#),
            (#"{"name": "cam", "fps": 30}"#, #"{"name":"cam","fps":30}"#),
            (#"{"fps": 30, "extra": {"a": 1}, "none": null, "list": [1]}"#, #"{"fps":30}"#),
            (#"{"event": "door-open", "by": "Ada", "at": {"x": 1}}"#, #"door-open! {"by":"Ada","at":{"x":1}}"#),
            (#"{"event": "boot"}"#, "boot! {}"),
            (#"  {"a": 1}  "#, #"{"a":1}"#),
            (#"{"big": 9223372036854775807, "tiny": -1e-300}"#, #"{"big":9223372036854775807,"tiny":-1e-300}"#),
            (#"{"a": 1, "time": 1763700000123}"#, #"1763700000123 {"a":1}"#),
            (#"{"a": 1, "time": 1763700000123.9}"#, #"1763700000123 {"a":1}"#),
            (#"{"a": 1, "time": "1970-01-02T00:00:00Z"}"#, #"86400000 {"a":1}"#),
            (#"{"event": "e", "time": "1970-01-01T01:00:00.25+01:00"}"#, "250 e! {}"),
        ])
    func forms(line: String, expected: String) {
        #expect(read(line) == expected)
    }

    @Test(
        "what means nothing is malformed",
        arguments: [
            "", "{", "nonsense", "[1]", "3", "null", "{}", #"{"a": null}"#, #"{"a": [1]}"#, #"{"a": 1} x"#,
            #"{"a": 1, "a": 2}"#, #"{"name": "a", "value": null}"#, #"{"name": "a", "value": [1]}"#,
            #"{"name": "a", "values": {}}"#, #"{"event": 3}"#, #"{"event": ""}"#, #"{"": 1}"#,
            #"{"a": 1e999}"#, #"{"a": 123456789012345678901234567890}"#, #"{"a": "\u0000"}"#, #"{"a": NaN}"#,
            #"{"a": 1, "time": "yesterday"}"#, #"{"a": 1, "time": -5}"#, #"{"a": 1, "time": 1e300}"#,
            #"{"a": 1, "time": "2026-02-30T00:00:00Z"}"#, #"{"a": 1, "time": true}"#,
            String(repeating: #"{"a":"#, count: 9) + "1" + String(repeating: "}", count: 9),
            String(repeating: "[", count: 60_000),
        ])
    func malformed(line: String) {
        #expect(read(line) == "malformed")
    }

    @Test("bytes that are not UTF-8 are malformed")
    func bytes() {
        #expect(read(Array(#"{"a": ""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8)) == "malformed")
        #expect(read(Array(#"{"a": 1}"#.utf8) + [0]) == "malformed")
    }

    @Test("what has more than is allowed is too large, and what just has it is not")
    func sizes() {
        func members(_ count: Int) -> String { "{" + (0..<count).map { "\"v\($0)\": 1" }.joined(separator: ",") + "}" }
        func text(_ count: Int) -> String { #"{"a": ""# + String(repeating: "x", count: count) + #""}"# }
        func name(_ count: Int) -> String { #"{""# + String(repeating: "n", count: count) + #"": 1}"# }
        func data(_ count: Int) -> String {
            #"{"event": "e", "d": ""# + String(repeating: "x", count: count - #"{"d":""}"#.utf8.count) + #""}"#
        }
        for (line, isAllowed) in [
            (members(64), true), (members(65), false), (text(256), true), (text(257), false), (name(128), true),
            (name(129), false), (data(16 * 1024), true), (data(16 * 1024 + 1), false),
        ] {
            #expect((read(line) == "too-large") == !isAllowed, "\(line.prefix(40))")
        }
        #expect(!read(data(16 * 1024)).hasPrefix("malformed"))
    }

    @Test(
        "times are read as RFC 3339 writes them",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:34:56.789Z", 951_827_696_789),
            ("2026-11-21t21:18:36z", 1_795_295_916_000), ("2026-11-21 22:18:36+01:00", 1_795_295_916_000),
            ("2026-11-21T15:48:36.1234567-05:30", 1_795_295_916_123), ("9999-12-31T23:59:59Z", 253_402_300_799_000),
            ("2026-11-21", nil), ("2026-11-21T21:18Z", nil), ("2026-11-21T21:18:36", nil),
            ("2026-13-01T00:00:00Z", nil),
            ("2025-02-29T00:00:00Z", nil), ("2026-11-21T24:00:00Z", nil), ("2026-11-21T21:18:36.Z", nil),
            ("2026-11-21T21:18:36+0100", nil), ("", nil), ("2026-11-21T21:18:36ZZ", nil),
        ] as [(String, Int64?)])
    func times(text: String, milliseconds: Int64?) {
        #expect(InternetTime.milliseconds(text) == milliseconds)
    }
}
