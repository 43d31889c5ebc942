extension JSON {
    /// What is no JSON.
    public struct ParsingError: Error, Equatable, Sendable, CustomStringConvertible {
        /// In bytes, from 0.
        public var place: Int
        public var description: String { "it is no JSON: byte \(place) is not expected" }
    }

    /// Parses one JSON value (RFC 8259) that fills the bytes, nested at most 64 deep.
    public init(parsing bytes: [UInt8]) throws(ParsingError) {
        var parser = Parser(bytes: bytes)
        self = try parser.value(depth: 0)
        parser.skipBlanks()
        guard parser.place == bytes.count else { throw parser.unexpected }
    }

    /// Parses one JSON value.
    public init(parsing text: String) throws(ParsingError) { try self.init(parsing: Array(text.utf8)) }

    private struct Parser {
        static let deepest = 64
        let bytes: [UInt8]
        var place = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var unexpected: ParsingError { ParsingError(place: place) }
        private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

        mutating func skipBlanks() {
            while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { place += 1 }
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard next == UInt8(ascii: character) else { return false }
            place += 1
            return true
        }

        private mutating func expect(_ word: StaticString, _ value: JSON) throws(ParsingError) -> JSON {
            let isThere = word.withUTF8Buffer { bytes[place...].starts(with: $0) }
            guard isThere else { throw unexpected }
            place += word.utf8CodeUnitCount
            return value
        }

        mutating func value(depth: Int) throws(ParsingError) -> JSON {
            guard depth < Self.deepest else { throw unexpected }
            skipBlanks()
            switch next.map({ Unicode.Scalar($0) }) {
            case "{": return try object(depth: depth)
            case "[": return try array(depth: depth)
            case "\"": return .string(try string())
            case "t": return try expect("true", true)
            case "f": return try expect("false", false)
            case "n": return try expect("null", nil)
            default: return try number()
            }
        }

        private mutating func object(depth: Int) throws(ParsingError) -> JSON {
            place += 1
            var members: [String: JSON] = [:]
            skipBlanks()
            if take("}") { return .object(members) }
            while true {
                skipBlanks()
                guard next == UInt8(ascii: "\"") else { throw unexpected }
                let key = try string()
                skipBlanks()
                guard take(":") else { throw unexpected }
                members[key] = try value(depth: depth + 1)
                skipBlanks()
                if take("}") { return .object(members) }
                guard take(",") else { throw unexpected }
            }
        }

        private mutating func array(depth: Int) throws(ParsingError) -> JSON {
            place += 1
            var elements: [JSON] = []
            skipBlanks()
            if take("]") { return .array(elements) }
            while true {
                elements.append(try value(depth: depth + 1))
                skipBlanks()
                if take("]") { return .array(elements) }
                guard take(",") else { throw unexpected }
            }
        }

        private mutating func number() throws(ParsingError) -> JSON {
            let start = place
            _ = take("-")
            let digits = place
            takeDigits()
            guard place > digits, place == digits + 1 || bytes[digits] != UInt8(ascii: "0") else { throw unexpected }
            var isWhole = true
            if take(".") {
                isWhole = false
                let fraction = place
                takeDigits()
                guard place > fraction else { throw unexpected }
            }
            if take("e") || take("E") {
                isWhole = false
                if !take("+") { _ = take("-") }
                let exponent = place
                takeDigits()
                guard place > exponent else { throw unexpected }
            }
            let text = String(decoding: bytes[start..<place], as: UTF8.self)
            if isWhole, let value = Int(text) { return .int(value) }
            guard let value = Double(text), value.isFinite else { throw unexpected }
            return .double(value)
        }

        private mutating func takeDigits() {
            while let byte = next, byte >= 0x30 && byte <= 0x39 { place += 1 }
        }

        private mutating func string() throws(ParsingError) -> String {
            place += 1
            var text: [UInt8] = []
            while let byte = next {
                place += 1
                switch byte {
                case UInt8(ascii: "\""):
                    guard let string = String(validating: text, as: UTF8.self) else { throw unexpected }
                    return string
                case UInt8(ascii: "\\"): try takeEscape(into: &text)
                case 0..<0x20: throw unexpected
                default: text.append(byte)
                }
            }
            throw unexpected
        }

        private mutating func takeEscape(into text: inout [UInt8]) throws(ParsingError) {
            guard let byte = next else { throw unexpected }
            place += 1
            switch Unicode.Scalar(byte) {
            case "\"", "\\", "/": text.append(byte)
            case "b": text.append(0x08)
            case "f": text.append(0x0c)
            case "n": text.append(0x0a)
            case "r": text.append(0x0d)
            case "t": text.append(0x09)
            case "u":
                var value = try hexadecimal()
                if value & 0xfc00 == 0xd800, take("\\"), take("u") {
                    let low = try hexadecimal()
                    guard low & 0xfc00 == 0xdc00 else { throw unexpected }
                    value = 0x10000 + (value & 0x3ff) << 10 + low & 0x3ff
                }
                guard let scalar = Unicode.Scalar(value) else { throw unexpected }
                text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default: throw unexpected
            }
        }

        private mutating func hexadecimal() throws(ParsingError) -> UInt32 {
            let digits = String(decoding: bytes[place...].prefix(4), as: UTF8.self)
            guard digits.utf8.count == 4, digits.allSatisfy(\.isHexDigit), let value = UInt32(digits, radix: 16) else {
                throw unexpected
            }
            place += 4
            return value
        }
    }
}
