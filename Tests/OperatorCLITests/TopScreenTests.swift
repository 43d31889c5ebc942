import ControlProtocol
import Foundation
import LinuxSystem
import Testing

@testable import OperatorCLI

/// The live screen, with a pseudo terminal as its keyboard.
@Suite(.timeLimit(.minutes(1))) struct TopScreenTests {
    /// A terminal, and the hand that types on it.
    private final class Keyboard {
        let hand: Descriptor
        let terminal: Descriptor

        init() throws {
            // Not to become the controlling terminal of whoever runs the tests.
            let mode = OpenMode(rawValue: O_RDWR | O_NOCTTY)
            hand = try SystemCall.open("/dev/ptmx", mode)
            // TIOCSPTLCK and TIOCGPTN (ioctl_tty(2)), macros that Swift cannot import.
            var (isLocked, number) = (Int32(0), Int32(0))
            let results = [ioctl(hand.rawValue, 0x4004_5431, &isLocked), ioctl(hand.rawValue, 0x8004_5430, &number)]
            try #require(results == [0, 0])
            terminal = try SystemCall.open("/dev/pts/\(number)", mode)
        }

        /// Whether lines are edited and echoed, as a shell expects.
        var isCooked: Bool {
            var settings = termios()
            tcgetattr(terminal.rawValue, &settings)
            return settings.c_lflag & tcflag_t(ICANON | ECHO | ISIG) == tcflag_t(ICANON | ECHO | ISIG)
        }
    }

    private func connection(to path: String) -> ConnectionOptions {
        var options = ConnectionOptions()
        (options.socket, options.timeout) = (path, 20)
        return options
    }

    /// - Parameter reacts: sees everything written so far after each write.
    private func run(
        _ server: ScriptedServer, _ keyboard: Keyboard, reacts: @escaping (String) -> Void
    ) throws -> String {
        var output = ""
        let console = Console(
            Console.Surroundings(isInputTerminal: true, isOutputTerminal: true),
            output: {
                output += String(decoding: $0, as: UTF8.self); reacts(output)
            }, error: { _ in })
        let screen = TopScreen(
            connection: connection(to: server.path), console: console, keyboard: keyboard.terminal.rawValue)
        try screen.run()
        return output
    }

    @Test(arguments: [UInt8(ascii: "q"), 3])
    func `a key ends it, and the terminal is as before`(key: UInt8) throws {
        let server = try ScriptedServer(status: Fixtures.status)
        defer { server.stop() }
        let keyboard = try Keyboard()
        let hand = keyboard.hand.rawValue
        var typed = false
        let output = try run(server, keyboard) { output in
            guard !typed, output.contains("camera") else { return }
            typed = true
            _ = try? SystemCall.write(hand, [UInt8(ascii: "x"), key])
        }
        #expect(output.hasPrefix(ScreenControl.enter))
        #expect(output.hasSuffix(ScreenControl.leave))
        #expect(keyboard.isCooked)
    }

    @Test func `a runtime that goes away is awaited`() throws {
        let count = Counter()
        let server = try ScriptedServer { call in
            guard case .runtime(.status)? = try? ControlRequest(call) else {
                return .reply([VarlinkServiceError.methodNotFound(call.method).reply])
            }
            // The second frame meets a runtime that has gone, the third one that is back.
            return count.next() == 2 ? .sendAndClose([]) : .reply([VarlinkReply(Fixtures.status)])
        }
        defer { server.stop() }
        let keyboard = try Keyboard()
        let hand = keyboard.hand.rawValue
        let output = try run(server, keyboard) { output in
            guard let outage = output.range(of: "waiting for it to come back"),
                output[outage.upperBound...].contains("camera")
            else { return }
            _ = try? SystemCall.write(hand, Array("q".utf8))
        }
        #expect(output.hasSuffix(ScreenControl.leave))
        #expect(keyboard.isCooked)
    }

    @Test func `without a runtime it does not begin`() throws {
        let keyboard = try Keyboard()
        var output = ""
        let console = Console(
            Console.Surroundings(), output: { output += String(decoding: $0, as: UTF8.self) }, error: { _ in })
        let screen = TopScreen(
            connection: connection(to: "/nonexistent/control.sock"), console: console,
            keyboard: keyboard.terminal.rawValue)
        #expect(throws: ClientError.unreachable(path: "/nonexistent/control.sock")) { try screen.run() }
        #expect(output == "")
    }
}
