import ControlProtocol
import Testing

struct JSONValueTests {
    private func parse(_ text: String, limits: JSONLimits = .request) throws(JSONError) -> JSONValue {
        try JSONValue.parse(Array(text.utf8), limits: limits)
    }

    @Test func `keeps the order of members and the kind of every number`() throws {
        let value = try parse(#" {"z": 1, "a": [1.5, -2, 1e3, true, false, null], "m": {"x": "y"}} "#)
        #expect(value == ["z": 1, "a": [1.5, -2, 1000.0, true, false, nil], "m": ["x": "y"]])
        #expect(value.text == #"{"z":1,"a":[1.5,-2,1000.0,true,false,null],"m":{"x":"y"}}"#)
    }

    @Test(arguments: [Int64.min, -1, 0, Int64.max])
    func `whole numbers survive unchanged`(number: Int64) throws {
        #expect(try parse(JSONValue.int(number).text) == .int(number))
    }

    @Test(arguments: [
        0.1, -0.0, 1.0, 1e300, Double.leastNonzeroMagnitude, 123456.789, 1.7976931348623157e308, 1e16, 1e-7,
    ])
    func `fractions are written short and read back the same`(number: Double) throws {
        let text = JSONValue.double(number).text
        #expect(text.utf8.count <= 23)
        #expect(try parse(text) == .double(number))
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func `a number that JSON cannot express becomes null`(number: Double) {
        #expect(JSONValue.double(number).text == "null")
    }

    @Test func `every character survives, and none can break a line, a frame or a terminal`() throws {
        let scalars = (Array(1...0x2ff) + [0x2028, 0xfeff, 0xfffd, 0xffff, 0x1f600, 0x10ffff])
            .compactMap { Unicode.Scalar($0 as Int) }
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        let bytes = JSONValue.string(text).serialised()
        #expect(try JSONValue.parse(bytes) == .string(text))
        #expect(bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f })
    }

    @Test(arguments: [
        ("", JSONError.Code.syntax), ("{", .syntax), ("[1,]", .syntax), ("{} {}", .syntax), ("nul", .syntax),
        ("{'a':1}", .syntax), ("[01]", .syntax), ("\"\n\"", .syntax), ("]", .syntax),
        (#"{"a":1,"a":2}"#, .duplicateKey), (#"{"a":{"b":1,"c":2,"b":3}}"#, .duplicateKey),
        (#"["\u0000"]"#, .nulCharacter), (#"{"\u0000":1}"#, .nulCharacter), ("[\0]", .nulCharacter),
        ("[9223372036854775808]", .numberOutOfRange), ("[1e999]", .numberOutOfRange),
    ])
    func `text that is not strict JSON is refused`(text: String, code: JSONError.Code) {
        #expect {
            try parse(text)
        } throws: {
            ($0 as? JSONError)?.code == code
        }
    }

    @Test(arguments: [
        [0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22], [0x22, 0xe2, 0x82, 0x22],
        [0x22, 0xf5, 0x80, 0x80, 0x80, 0x22],
    ])
    func `invalid UTF-8 is refused`(bytes: [UInt8]) {
        #expect {
            try JSONValue.parse(bytes)
        } throws: {
            ($0 as? JSONError)?.code == .invalidUTF8
        }
    }

    @Test func `a lone surrogate escape is refused`() {
        #expect(throws: JSONError.self) { try parse(#""\ud800""#) }
    }

    @Test func `depth is limited before anything recurses`() throws {
        let limits = JSONLimits(maximumBytes: 1 << 20, maximumDepth: 3)
        #expect(try parse("[[[1]], [[2]]]", limits: limits) == [[[1]], [[2]]])
        #expect(try parse(#"[[["]]]][[[[[\"[[["]]]"#, limits: limits) == [[[#"]]]][[[[["[[["#]]])
        for text in ["[[[[1]]]]", #"{"a":[{"b":[]}]}"#, String(repeating: "[", count: 1 << 20)] {
            #expect {
                try parse(text, limits: limits)
            } throws: {
                ($0 as? JSONError)?.code == .tooDeep
            }
        }
    }

    @Test func `size is limited`() throws {
        let limits = JSONLimits(maximumBytes: 4, maximumDepth: 3)
        #expect(try parse("1234", limits: limits) == 1234)
        #expect {
            try parse("12345", limits: limits)
        } throws: {
            ($0 as? JSONError)?.code == .tooLarge
        }
    }

    @Test func `an empty buffer is an error and not a crash`() {
        #expect(throws: JSONError.self) { try JSONValue.parse(UnsafeRawBufferPointer(start: nil, count: 0)) }
    }

    @Test func `accessors answer nil for another kind`() {
        let value: JSONValue = ["text": "a", "whole": 3, "fraction": 2.5, "flag": true, "none": nil]
        #expect(value["text"]?.stringValue == "a")
        #expect(value["text"]?.intValue == nil)
        #expect(value["whole"]?.intValue == 3)
        #expect(value["whole"]?.doubleValue == 3)
        #expect(JSONValue.double(3).intValue == 3)
        #expect(value["fraction"]?.intValue == nil)
        #expect(value["flag"]?.boolValue == true)
        #expect(value["none"]?.isNull == true)
        #expect(value["absent"] == nil)
        #expect(JSONValue.string("a")["b"] == nil)
        #expect(value.arrayValue == nil)
    }

    @Test func `a member can be replaced in place, removed and set to null`() {
        var object: JSONObject = ["a": 1, "b": 2]
        object["a"] = 3
        object["b"] = nil
        object["c"] = .null
        #expect(JSONValue.object(object).text == #"{"a":3,"c":null}"#)
    }
}
