import CPluginFrames
import ControlProtocol
import LinuxSystem
import MonotonicTime
import PluginSession
import SeededRandom
import TestSupport
import Testing

/// A host whose plugin writes to descriptor 3 whatever it likes.
@Suite(.timeLimit(.minutes(2))) struct HostileHostTests {
    private static let kinds: [hf_frame_type] = [
        HF_FRAME_HELLO, HF_FRAME_FACT, HF_FRAME_STARTED, HF_FRAME_LOG, HF_FRAME_PROGRESS, HF_FRAME_REQUEST,
        HF_FRAME_RESULT, HF_FRAME_FAILURE, HF_FRAME_DONE, HF_FRAME_FAULT, HF_FRAME_ANSWER,
    ]

    /// A packet with a frame's head, or with anything.
    private static func packet(_ random: inout SeededGenerator) -> [UInt8] {
        let body = (0..<Int.random(in: 0...64, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
        // One in twenty is no frame.
        guard Int.random(in: 0..<20, using: &random) > 0, let kind = kinds.randomElement(using: &random) else {
            return [1] + body.prefix(20)
        }
        let numbers: [Int32] = [0, 1, -1, HF_FRAMES_VERSION, 77, .max, .min]
        var head = hf_frame(
            type: kind.rawValue, number: numbers.randomElement(using: &random) ?? 0,
            value: [0, 1, -1, .max, .min].randomElement(using: &random) ?? 0)
        return withUnsafeBytes(of: &head) { Array($0) } + body
    }

    @Test(arguments: 0..<40) func `whatever it says, there is one end, and nothing after it`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<25 {
            let loop = try EventLoop()
            let (ours, theirs) = try UnixStream.makePacketPair()
            let session = PluginSession(
                loop: loop, socket: ours, library: SharedDescriptor(try SystemCall.open("/dev/null", .readOnly)),
                order: .init(
                    id: "1", kind: "a.b", payload: Array("1".utf8), timeLimit: .seconds(30),
                    limits: PluginLimits(longestResult: 100)))
            var (ends, isLate) = (0, false)
            var answers: [(Result<PluginAnswer, PluginRefusal>) -> Void] = []
            session.onLog = { _, text in
                isLate = isLate || ends > 0
                #expect(text.utf8.count <= PluginLimits.longestLine + 3)
            }
            session.onProgress = { percent, _ in
                isLate = isLate || ends > 0
                #expect(percent.map { (0...100).contains($0) } ?? true)
            }
            session.onRequest = { _, answer in
                isLate = isLate || ends > 0
                answers.append(answer)
            }
            session.onEnd = { _ in ends += 1 }
            try session.start()
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                _ = try? theirs.send(Self.packet(&random))
                if Bool.random(using: &random) { try loop.runOnce(timeout: .zero) }
                if Bool.random(using: &random), let answer = answers.popLast() {
                    answer(.success(PluginAnswer("an answer")))
                }
            }
            session.cancel("enough")
            session.hostEnded(.exited(code: 0), memoryExceeded: false)
            session.hostEnded(.signaled(signal: 9, coreDumped: false), memoryExceeded: false)
            for answer in answers { answer(.failure(PluginRefusal(.failed, "late"))) }
            try loop.runOnce(timeout: .zero)
            #expect(ends == 1)
            #expect(!isLate)
        }
    }

    /// What a session makes of packets from a host.
    private func end(_ packets: [(hf_frame_type, Int32, Int)]) throws -> PluginSession.End? {
        let loop = try EventLoop()
        let (ours, theirs) = try UnixStream.makePacketPair()
        let session = PluginSession(
            loop: loop, socket: ours, library: SharedDescriptor(try SystemCall.open("/dev/null", .readOnly)),
            order: .init(
                id: "1", kind: "a.b", payload: [], timeLimit: .seconds(30), limits: PluginLimits(longestResult: 100)))
        var end: PluginSession.End?
        session.onEnd = { end = $0 }
        try session.start()
        for (type, number, length) in packets {
            var head = hf_frame(type: type.rawValue, number: number, value: 1)
            let bytes = withUnsafeBytes(of: &head) { Array($0) } + [UInt8](repeating: UInt8(ascii: "1"), count: length)
            _ = try theirs.send(bytes)
            try loop.runOnce(timeout: .milliseconds(100))
        }
        return end
    }

    @Test func `a host that does not keep to the limits of results is not listened to`() throws {
        let begun = [(HF_FRAME_HELLO, HF_FRAMES_VERSION, 0), (HF_FRAME_STARTED, Int32(0), 0)]
        let most = begun + [(HF_FRAME_RESULT, 0, 10), (HF_FRAME_DONE, 0, 0)]
        #expect(try end(most) == .succeeded(result: 1_111_111_111))
        let long = "its result is longer than the 100 bytes allowed"
        #expect(
            try end(begun + [(HF_FRAME_RESULT, 0, 60), (HF_FRAME_RESULT, 0, 60)])
                == .failed(PluginFailure(.resultTooLong, long)))
    }

    @Test func `a packet that is longer than any frame is nonsense`() throws {
        let length = Int(HF_FRAME_BODY_MAX) + 1
        let nonsense = PluginFailure(.garbled, "the plugin has written nonsense to its host's socket")
        #expect(try end([(HF_FRAME_HELLO, HF_FRAMES_VERSION, 0), (HF_FRAME_LOG, 1, length)]) == .failed(nonsense))
        #expect(try end([(HF_FRAME_STARTED, 0, 0)]) == .failed(nonsense), "out of order")
        #expect(try end([(HF_FRAME_HELLO, HF_FRAMES_VERSION, 0), (HF_FRAME_DONE, 0, 0)]) == .failed(nonsense))
    }

    @Test func `a descriptor that comes along is closed`() throws {
        let loop = try EventLoop()
        let (ours, theirs) = try UnixStream.makePacketPair()
        let inspection = PluginInspection(
            loop: loop, socket: ours, library: SharedDescriptor(try SystemCall.open("/dev/null", .readOnly)))
        var report: PluginInspection.Report?
        inspection.onEnd = { report = $0 }
        try inspection.start()
        let pipe = try SystemCall.makePipe().shared()
        var head = hf_frame(type: HF_FRAME_FACT.rawValue, number: 1, value: 0)
        let bytes = withUnsafeBytes(of: &head) { Array($0) } + Array("name".utf8)
        _ = try theirs.send(bytes, descriptors: [try #require(pipe.writeEnd.rawValue)])
        pipe.writeEnd.close()
        try loop.runOnce(timeout: .seconds(1))
        // The end of the file: nobody holds the other end any more.
        let readEnd = try #require(pipe.readEnd.rawValue)
        #expect(try SystemCall.wait(for: readEnd, .readable, timeout: .zero))
        inspection.hostEnded(.exited(code: 0))
        #expect(report?.name == "name")
    }
}
