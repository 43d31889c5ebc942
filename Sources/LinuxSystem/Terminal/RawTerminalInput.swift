import Glibc

/// A terminal that hands over each key at once, unechoed, with Ctrl-C as an ordinary byte; put back as it was when
/// this object goes.
package final class RawTerminalInput {
    private let descriptor: Int32
    private var original: termios

    package init(_ descriptor: Int32) throws(SystemError) {
        self.descriptor = descriptor
        var settings = termios()
        try SystemCall.perform("tcgetattr") { tcgetattr(descriptor, &settings) }
        original = settings
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        try SystemCall.perform("tcsetattr") { tcsetattr(descriptor, TCSANOW, &settings) }
    }

    deinit {
        tcsetattr(descriptor, TCSANOW, &original)
    }
}
