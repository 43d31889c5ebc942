import ControlProtocol
import Testing

struct MessageFramerTests {
    private func drain(_ framer: inout MessageFramer) throws -> [String] {
        var messages: [String] = []
        while let message = try framer.next() { messages.append(String(decoding: message, as: UTF8.self)) }
        return messages
    }

    @Test(arguments: 1...12)
    func `messages come out whole, however the bytes are cut`(chunk: Int) throws {
        let stream = Array("{\"a\":1}\0\0{\"b\":2}\0tail".utf8)
        var framer = MessageFramer(maximumMessageBytes: 16)
        var messages: [String] = []
        for start in stride(from: 0, to: stream.count, by: chunk) {
            try framer.append(Array(stream[start..<min(start + chunk, stream.count)]))
            messages += try drain(&framer)
        }
        #expect(messages == [#"{"a":1}"#, "", #"{"b":2}"#])
        #expect(framer.pendingBytes == 4)
    }

    @Test func `a message of exactly the maximum passes, one byte more does not`() throws {
        var framer = MessageFramer(maximumMessageBytes: 4)
        try framer.append(Array("1234\0".utf8))
        #expect(try drain(&framer) == ["1234"])
        try framer.append(Array("12345\0".utf8))
        #expect(throws: MessageFramer.TooLarge.self) { try framer.next() }
    }

    @Test func `100 MB without an end are refused after the maximum, and nothing is kept`() throws {
        var framer = MessageFramer(maximumMessageBytes: 64 * 1024)
        let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 4096)
        var accepted = 0
        #expect(throws: MessageFramer.TooLarge.self) {
            for _ in 0..<(100 * 1024 * 1024 / chunk.count) {
                try framer.append(chunk)
                accepted += chunk.count
                _ = try framer.next()
            }
        }
        #expect(accepted <= 64 * 1024 + chunk.count)
        #expect(framer.pendingBytes == 0)
    }

    @Test func `a message that is refused is refused for good`() throws {
        var framer = MessageFramer(maximumMessageBytes: 2)
        try framer.append(Array("123\0ok\0".utf8))
        for _ in 0..<2 { #expect(throws: MessageFramer.TooLarge.self) { try framer.next() } }
        #expect(throws: MessageFramer.TooLarge.self) { try framer.append(Array("ok\0".utf8)) }
    }

    @Test func `messages that nobody takes are bounded too`() throws {
        var framer = MessageFramer(maximumMessageBytes: 8)
        try framer.append(Array("a\0b\0c\0d\0e\0".utf8))
        #expect(throws: MessageFramer.TooLarge.self) { try framer.append([0]) }
    }

    @Test func `a frame ends with the only NUL`() {
        let frame = MessageFramer.frame(VarlinkCall(method: "a.b.C"))
        #expect(frame == Array("{\"method\":\"a.b.C\"}\0".utf8))
    }
}
