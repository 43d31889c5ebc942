import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct UnixSocketTests {
    private func receive(_ stream: UnixStream) throws -> (bytes: [UInt8], message: ReceivedMessage)? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let result = try buffer.withUnsafeMutableBytes { buffer throws(SystemError) in
            try stream.receive(into: buffer)
        }
        guard let message = result.value else { return nil }
        return (Array(buffer.prefix(message.count)), message)
    }

    @Test func packetsKeepTheirBoundariesAndCarryDescriptors() throws {
        let (left, right) = try UnixStream.makePacketPair()
        var pipe = try SystemCall.makePipe()
        _ = try left.send([1, 2, 3], descriptors: [pipe.writeEnd.rawValue])
        _ = try left.send([4])
        pipe.writeEnd = try SystemCall.open("/dev/null", .readOnly)

        let first = try #require(try receive(right))
        #expect(first.bytes == [1, 2, 3])
        let passed = try #require(first.message.descriptors.first?.rawValue)
        #expect(SystemCall.isCloseOnExec(passed))
        _ = try SystemCall.write(passed, [42])
        var byte: [UInt8] = [0]
        let end = pipe.readEnd.rawValue
        _ = try byte.withUnsafeMutableBytes { buffer throws(SystemError) in try SystemCall.read(end, into: buffer) }
        #expect(byte == [42])

        #expect(try receive(right)?.bytes == [4])
        #expect(try receive(right) == nil)
    }

    @Test func aReceivedDescriptorThatNobodyTakesIsClosed() throws {
        let (left, right) = try UnixStream.makePacketPair()
        let (readEnd, writeEnd) = try SystemCall.makePipe(nonBlocking: true).shared()
        _ = try left.send([1], descriptors: [try #require(writeEnd.rawValue)])
        writeEnd.close()
        _ = try receive(right)
        var byte: [UInt8] = [0]
        let end = try #require(readEnd.rawValue)
        let result = try byte.withUnsafeMutableBytes { buffer throws(SystemError) in
            try SystemCall.read(end, into: buffer)
        }
        #expect(result.value == 0, "a write end is still open")
    }

    @Test func theEndOfTheOtherSideIsAnEmptyPacket() throws {
        var pair: (UnixStream, UnixStream)? = try UnixStream.makePacketPair()
        let right = try #require(pair?.1)
        pair = nil
        #expect(try receive(right)?.bytes == [])
    }

    @Test func aListenerKnowsItsPeers() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/control.sock"
        let listener = try UnixListener(path: path, permissions: 0o660)
        #expect(try listener.accept() == nil)
        #expect(try SystemCall.status(of: path).mode == 0o660)
        let client = try UnixStream.connect(to: path)
        let server = try #require(try listener.accept())
        let peer = try server.peerCredentials()
        #expect(peer == PeerCredentials(pid: getpid(), uid: getuid(), gid: getgid()))
        _ = try server.peerGroups()
        _ = try client.send(Array("hello".utf8))
        #expect(try receive(server)?.bytes == Array("hello".utf8))
        try client.shutdownWriting()
        #expect(try receive(server)?.bytes == [])
    }

    @Test func aListenerReplacesALeftOverSocketButNothingElse() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/control.sock"
        let first = try UnixListener(path: path)
        let second = try UnixListener(path: path)
        _ = try UnixStream.connect(to: path)
        #expect(try second.accept() != nil)
        #expect(try first.accept() == nil)
        let other = directory.path + "/file"
        _ = try SystemCall.open(other, [.create, .writeOnly])
        #expect(throws: SystemError.self) { try UnixListener(path: other) }
        #expect(try SystemCall.status(of: other).kind == .regular)
    }

    @Test func tooLongAPathIsAnError() {
        let path = "/tmp/" + String(repeating: "x", count: 200)
        let error = #expect(throws: SystemError.self) { try UnixListener(path: path) }
        #expect(error?.errno == ENAMETOOLONG)
    }

    @Test func aDatagramTellsItsSender() throws {
        let directory = try TemporaryDirectory()
        let socket = try UnixDatagramSocket(path: directory.path + "/notify", passCredentials: true)
        _ = try UnixDatagramSocket.send(Array("READY=1".utf8), to: socket.path)
        var buffer = [UInt8](repeating: 0, count: 4)
        let result = try buffer.withUnsafeMutableBytes { buffer throws(SystemError) in try socket.receive(into: buffer)
        }
        let message = try #require(result.value)
        #expect(message.credentials == PeerCredentials(pid: getpid(), uid: getuid(), gid: getgid()))
        #expect(message.isTruncated)
        #expect(message.count == 4)
    }
}
