import Glibc
import LinuxSystem
import MonotonicTime
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct NotifySocketTests {
    let directory = try? TemporaryDirectory()

    private func makeSocket() throws -> NotifySocket {
        try NotifySocket(path: try #require(directory).path + "/notify")
    }

    @Test func aMessageTellsItsFieldsAndItsSender() throws {
        let socket = try makeSocket()
        #expect(try socket.receive() == nil)
        _ = try UnixDatagramSocket.send(Array("READY=1\nSTATUS=up".utf8), to: socket.path)
        let message = try #require(try socket.receive())
        #expect(message.fields == [.ready, .status("up")])
        #expect(message.sender == PeerCredentials(pid: getpid(), uid: getuid(), gid: getgid()))
        #expect(!message.isOversized)
    }

    @Test func theSenderIsTheProcessThatSent() throws {
        let socket = try makeSocket()
        let loop = try EventLoop()
        let script = """
            import socket, sys
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.sendto(b'READY=1', sys.argv[1])
            """
        let python = SpawnRequest.resolve("python3", path: "/usr/bin:/usr/local/bin")
        guard access(python, X_OK) == 0 else { return }
        var request = SpawnRequest(executable: python, arguments: ["python3", "-c", script, socket.path])
        if getuid() == 0 { request.identity = SpawnRequest.Identity(uid: 65534, gid: 65534) }
        try SystemCall.changeMode(of: try #require(directory).path, to: 0o711)
        let child = try ChildProcess.spawn(request)
        var sender: PeerCredentials?
        _ = try loop.register(socket.rawValue, .readable) { _ in
            if let message = try? socket.receive() { sender = message.sender }
        }
        try loop.pump("the message") { sender != nil }
        #expect(sender?.pid == child.pid)
        if getuid() == 0 { #expect(sender?.uid == 65534) }
        try loop.pump("its end") { child.exit(keepingZombie: false) != nil }
    }

    @Test func anOversizedMessageIsIgnoredAsAWhole() throws {
        let socket = try makeSocket()
        let long = Array("READY=1\nSTATUS=".utf8) + [UInt8](repeating: 0x78, count: 8000)
        _ = try UnixDatagramSocket.send(long, to: socket.path)
        let message = try #require(try socket.receive())
        #expect(message.isOversized)
        #expect(message.fields.isEmpty)
    }

    @Test func aBarrierIsAnsweredWhenItsMessageIsDone() throws {
        let socket = try makeSocket()
        let (readEnd, writeEnd) = try SystemCall.makePipe(nonBlocking: true).shared()
        let watched = try #require(readEnd.rawValue)
        _ = try UnixDatagramSocket.send(Array("READY=1".utf8), to: socket.path)
        _ = try UnixDatagramSocket.send(
            Array("BARRIER=1".utf8), descriptors: [try #require(writeEnd.rawValue)], to: socket.path)
        writeEnd.close()
        #expect(try socket.receive()?.fields == [.ready])
        #expect(try !SystemCall.wait(for: watched, [], timeout: .zero))
        do {
            let message = try #require(try socket.receive())
            #expect(message.fields == [.barrier])
            #expect(message.descriptors.count == 1)
            #expect(try !SystemCall.wait(for: watched, [], timeout: .zero))
        }
        #expect(try SystemCall.wait(for: watched, [], timeout: .zero), "the sender would wait for ever")
    }

    @Test func passedDescriptorsNeverLeak() throws {
        let socket = try makeSocket()
        let (readEnd, writeEnd) = try SystemCall.makePipe(nonBlocking: true).shared()
        let number = try #require(writeEnd.rawValue)
        for _ in 0..<5 {
            _ = try UnixDatagramSocket.send(
                Array("FDSTORE=1".utf8), descriptors: [Int32](repeating: number, count: 16), to: socket.path)
            let message = try #require(try socket.receive())
            #expect(message.descriptors.count == 16)
            #expect(message.fields.isEmpty)
        }
        writeEnd.close()
        // A hang-up means that no copy of the write end is left, here or in flight.
        #expect(try SystemCall.wait(for: try #require(readEnd.rawValue), [], timeout: .zero))
    }
}
