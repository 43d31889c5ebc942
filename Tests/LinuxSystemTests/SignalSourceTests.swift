import Glibc
import LinuxSystem
import MonotonicTime
import TestSupport
import Testing

/// In processes of their own: the mask and the signals belong to the thread.
@Suite(.timeLimit(.minutes(1)))
struct SignalSourceTests {
    @Test func aSignalIsAnEventOfTheLoop() async {
        await #expect(processExitsWith: .success) {
            let loop = try EventLoop()
            var received: [SignalInfo] = []
            let source = try SignalSource(loop: loop, signals: [SIGUSR1, SIGUSR2]) { received.append($0) }
            raise(SIGUSR2)
            raise(SIGUSR1)
            try loop.pump("both signals") { received.count == 2 }
            #expect(Set(received.map(\.signal)) == [SIGUSR1, SIGUSR2])
            #expect(received.allSatisfy { $0.pid == getpid() && $0.uid == getuid() })
            withExtendedLifetime(source) {}
        }
    }

    @Test func signalsComeAfterAllOtherEventsOfAWakeUp() async {
        await #expect(processExitsWith: .success) {
            let loop = try EventLoop()
            var order: [String] = []
            let source = try SignalSource(loop: loop, signals: [SIGUSR1]) { _ in order.append("signal") }
            raise(SIGUSR1)
            let (readEnd, writeEnd) = try SystemCall.makePipe().shared()
            _ = try SystemCall.write(try #require(writeEnd.rawValue), [1])
            _ = try loop.register(try #require(readEnd.rawValue), .readable) { _ in order.append("pipe") }
            try loop.runOnce(timeout: .seconds(5))
            #expect(order == ["pipe", "signal"])
            withExtendedLifetime(source) {}
        }
    }

    @Test func theMaskIsGivenBackWithTheSource() async {
        await #expect(processExitsWith: .success) {
            let before = try SpawnTests.ownSignalMask()
            let loop = try EventLoop()
            var source: SignalSource? = try SignalSource(loop: loop, signals: [SIGPROF]) { _ in }
            #expect(source != nil)
            #expect(try SpawnTests.ownSignalMask() != before)
            source = nil
            #expect(try SpawnTests.ownSignalMask() == before)
        }
    }

    @Test(arguments: [(SIGTERM, "SIGTERM"), (SIGKILL, "SIGKILL"), (64, "SIG 64"), (0, "SIG 0")])
    func signalsHaveNames(number: Int32, name: String) {
        #expect(SignalNumber.name(number) == name)
    }
}
