import NIOPosix
import Testing

@testable import CentralService

@Suite("Waiting for commands", .timeLimit(.minutes(1)))
struct WaitingRoomTests {
    private let room = WaitingRoom(eventLoop: MultiThreadedEventLoopGroup.singleton.next())
    private final class Connection: Sendable {}

    private func wait(_ device: Int64, _ connection: Connection, since mark: UInt64 = 0, seconds: Int64 = 3600)
        async -> WaitingRoom.Outcome
    {
        await room.wait(device: device, since: mark, connection: ObjectIdentifier(connection), for: seconds)
    }

    /// Until so many wait.
    private func crowd(_ count: Int) async { while room.count != count { await Task.yield() } }

    @Test("whoever is notified wakes, nobody else")
    func notify() async {
        let (one, two) = (Connection(), Connection())
        async let first = wait(1, one)
        async let second = wait(2, two)
        await crowd(2)
        room.notify([1, 7])
        #expect(await first == .notified)
        #expect(room.isWaiting(2))
        room.dismiss(2)
        #expect(await second == .gone)
    }

    @Test("what comes between the look and the wait is not missed")
    func mark() async {
        let mark = room.mark()
        room.notify([1])
        #expect(await wait(1, Connection(), since: mark) == .notified)
    }

    @Test("a wait ends by itself, and the next one is not hit by its timer")
    func timeOut() async {
        let connection = Connection()
        #expect(await wait(1, connection, seconds: 0) == .timedOut)
        #expect(await wait(1, connection, since: room.mark(), seconds: 0) == .timedOut)
        #expect(room.count == 0)
    }

    @Test("a device waits once; the later request counts")
    func replaced() async {
        let (one, two) = (Connection(), Connection())
        async let first = wait(1, one)
        await crowd(1)
        async let second = wait(1, two)
        #expect(await first == .replaced)
        // The first connection's end is not the second's.
        room.leave(connection: ObjectIdentifier(one))
        #expect(room.isWaiting(1))
        room.leave(connection: ObjectIdentifier(two))
        #expect(await second == .gone)
    }

    @Test("who closes sends all away, and lets nobody in any more")
    func close() async {
        let connection = Connection()
        async let first = wait(1, connection)
        await crowd(1)
        room.close()
        #expect(await first == .closing)
        #expect(await wait(2, connection) == .closing)
    }
}
