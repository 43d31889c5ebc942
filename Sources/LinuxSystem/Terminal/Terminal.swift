import Glibc

/// What a program must know of the terminal it writes to.
package enum Terminal {
    /// In character cells.
    package struct Size: Equatable, Sendable {
        package var columns: Int
        package var rows: Int

        package init(columns: Int, rows: Int) {
            self.columns = columns
            self.rows = rows
        }
    }

    /// Whether the descriptor is a terminal (isatty(3)).
    package static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1
    }

    /// The window's size; `nil` when the descriptor is no terminal or the terminal does not tell.
    package static func size(of descriptor: Int32) -> Size? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return nil }
        return Size(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }
}

extension SignalNumber {
    /// The window's size changed.
    package static let windowChanged: Int32 = SIGWINCH
}
