import ControlProtocol
import FleetAPI
import LinuxSystem
import MonotonicTime
import Synchronization
import Testing

@testable import OperatorCLI

@Suite(.timeLimit(.minutes(1))) struct UplinkCommandTests {
    private static let token = EnrolmentToken(
        url: "https://central.example:7443", pins: [[UInt8](repeating: 1, count: 32)],
        secret: [UInt8](repeating: 2, count: 32))

    private static func status(
        _ state: UplinkStatus.State, reason: String? = nil, device: String? = nil
    ) -> UplinkStatus {
        UplinkStatus(
            state: state, reason: reason, central: "https://central.example:7443", device: device, since: 3720,
            nextAttemptIn: state == .offline ? 4 : nil, clockOffset: -70,
            queues: [
                UplinkStatus.Queue(
                    name: "events", id: "a", used: 4096, quota: 4 << 20, acknowledged: 7, written: 7, dropped: 0,
                    expired: 0, lost: 0, refused: 0),
                UplinkStatus.Queue(
                    name: "readings", id: "b", used: 60 << 20, quota: 64 << 20, acknowledged: 10, written: 1010,
                    dropped: 3, expired: 0, lost: 1, refused: 0),
            ])
    }

    /// Answers `Uplink` with one state after the other; the last one stays.
    private func run(
        _ commandLine: String, _ states: [UplinkStatus], enrol: VarlinkReply = VarlinkReply(), input: String = ""
    ) throws -> (status: Int32, output: String, error: String, tokens: [String]) {
        let rest = Mutex(states)
        let tokens = Mutex<[String]>([])
        let server = try ScriptedServer { call in
            guard case .runtime(let method)? = try? ControlRequest(call) else { return .sendAndClose([]) }
            switch method {
            case .uplink:
                return .reply([
                    VarlinkReply(
                        rest.withLock { states in states.count > 1 ? states.removeFirst() : states[0] })
                ])
            case .enrol(let token):
                tokens.withLock { $0.append(token) }
                return .reply([enrol])
            case .events:
                let event = EventReport(
                    sequence: 1, time: 0, monotonic: Double(MonotonicClock.now().nanoseconds) / 1e9 + 1,
                    kind: "uplink-enrolled", worker: nil, supervisor: nil, message: "", details: [:])
                return .reply([VarlinkReply(EventsReply(event: event, firstAvailable: 1), continues: true)])
            default: return .sendAndClose([])
            }
        }
        defer { server.stop() }
        let console = RecordedConsole(input: Array(input.utf8))
        let status = console.run(commandLine.replacing("SOCKET", with: server.path))
        return (status, console.output, console.error, tokens.withLock { $0 })
    }

    @Test("the page tells the link, the clock, what waits and what is missing")
    func page() throws {
        let result = try run("uplink --socket SOCKET", [Self.status(.offline, reason: "no route", device: "0123")])
        #expect(result.status == 0, "\(result.error)")
        #expect(
            result.output == """
                offline from https://central.example:7443 as 0123 for 1h02m: no route; next try in 4 s
                this device's clock is 1m10s ahead of central's

                QUEUE     WAITING  ON DISK    OF  NOTES
                events          0     4.0K  4.0M
                readings     1000      60M   64M  3 dropped for the quota, 1 lost to damage

                """)
        let other = try run("uplink --socket SOCKET", [Self.status(.notEnrolled)])
        #expect(other.output.contains("sudo holdfast enrol TOKEN"))
        let json = try run("uplink --json --socket SOCKET", [Self.status(.connected)])
        #expect(json.output == Self.status(.connected).json.text + "\n")
    }

    @Test("a token that is none is refused before anybody is asked")
    func badToken() throws {
        for token in ["nonsense", "hf1.e30", String(Self.token.text.dropLast(3))] {
            let result = try run("enrol \(token) --socket SOCKET", [Self.status(.connected)])
            #expect(result.status == 2)
            #expect(result.tokens == [])
            #expect(result.error.contains("token"))
        }
    }

    @Test("enrolling waits for what central says", arguments: [UplinkStatus.State.connected, .pending, .refused])
    func outcome(state: UplinkStatus.State) throws {
        let result = try run(
            "enrol \(Self.token.text) --socket SOCKET",
            [Self.status(.enrolling), Self.status(state, reason: "because", device: "0123")])
        #expect(result.status == (state == .refused ? 1 : 0), "\(result.error)")
        #expect(result.tokens == [Self.token.text])
        #expect((result.output + result.error).contains("because"))
        #expect(!result.output.contains("QUEUE"))
    }

    @Test("the token may come over standard input")
    func standardInput() throws {
        let result = try run(
            "enrol - --socket SOCKET", [Self.status(.connected, device: "0123")], input: " \(Self.token.text)\n")
        #expect(result.status == 0, "\(result.error)")
        #expect(result.tokens == [Self.token.text])
    }

    @Test("without an answer in time it says that the device goes on trying")
    func timeout() throws {
        let result = try run("enrol \(Self.token.text) --wait 0 --socket SOCKET", [Self.status(.enrolling)])
        #expect(result.status == 3)
        #expect(result.error.contains("the token is kept, and tried again by itself"))
        let refused = try run(
            "enrol \(Self.token.text) --socket SOCKET", [Self.status(.enrolling)],
            enrol: RuntimeError.enrolmentRefused(message: "no").reply)
        #expect(refused.status == 1)
        #expect(refused.error.contains("not enrolled: no"))
    }
}
