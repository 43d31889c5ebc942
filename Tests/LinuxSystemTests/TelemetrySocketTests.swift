import LinuxSystem
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct TelemetrySocketTests {
    private let folder: TemporaryDirectory
    private let path: String

    init() throws {
        folder = try TemporaryDirectory()
        path = folder.path + "/socket"
    }

    private func receive(_ number: Int32, peeking: Bool = false) throws -> (text: String, descriptors: Int)? {
        var buffer = [UInt8](repeating: 0, count: 100)
        let result = try buffer.withUnsafeMutableBytes {
            try peeking ? SystemCall.peek(number, into: $0) : SystemCall.receive(number, into: $0)
        }
        guard case .done(let message) = result else { return nil }
        return (String(decoding: buffer[..<message.count], as: UTF8.self), message.descriptors.count)
    }

    @Test("what is peeked at stays until it is discarded, with what came along")
    func peeking() throws {
        let socket = try TelemetrySocket(path: path)
        let number = try #require(socket.descriptor.rawValue)
        let sender = try socket.connect()
        let (_, writeEnd) = try SystemCall.makePipe().shared()
        _ = try SystemCall.send(sender.rawValue, Array("one".utf8), descriptors: [try #require(writeEnd.rawValue)])
        _ = try SystemCall.send(sender.rawValue, [])
        _ = try SystemCall.send(sender.rawValue, Array("three".utf8))
        for _ in 0..<2 {
            let found = try #require(try receive(number, peeking: true))
            #expect(found == ("one", 1))
        }
        for expected in ["one", "", "three"] {
            #expect(try receive(number, peeking: true)?.text == expected)
            #expect(try SystemCall.discardMessage(number))
        }
        #expect(try !SystemCall.discardMessage(number))
    }

    @Test(
        "it is full when one sender or many have to wait, whatever they send",
        arguments: [1, 300, 2000, 9000, 40_000, 65_536])
    func full(size: Int) throws {
        for senders in [1, 20] {
            let socket = try TelemetrySocket(path: path)
            #expect(!socket.isFull)
            var sent = 0
            for _ in 0..<senders {
                let sender = try socket.connect()
                while case .done = try SystemCall.send(sender.rawValue, [UInt8](repeating: 1, count: size)) {
                    sent += 1
                }
            }
            #expect(sent > 0 && socket.isFull)
            #expect(socket.discard(atMost: sent - 1) == sent - 1)
            #expect(!socket.isFull)
            // Looking has changed nothing.
            var buffer = [UInt8](repeating: 0, count: size)
            let number = try #require(socket.descriptor.rawValue)
            let left = try buffer.withUnsafeMutableBytes { try SystemCall.peek(number, into: $0).value?.count }
            #expect(left == size)
        }
    }

    @Test("a successor takes over what waits in it, and only from where it is bound")
    func adoption() throws {
        let socket = try TelemetrySocket(path: path)
        let sender = try socket.connect()
        _ = try SystemCall.send(sender.rawValue, Array("waits".utf8))
        let number = try #require(socket.descriptor.rawValue)
        #expect(TelemetrySocket(adopting: try SystemCall.duplicate(number), at: path + "x") == nil)
        let adopted = try #require(TelemetrySocket(adopting: try SystemCall.duplicate(number), at: path))
        #expect(try receive(try #require(adopted.descriptor.rawValue))?.text == "waits")
        withExtendedLifetime((socket, adopted)) {}
    }
}
