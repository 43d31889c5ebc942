/// The control sequences of a full-screen program (ECMA-48, and xterm's private modes).
enum ScreenControl {
    /// To the alternate screen, without cursor; lines that are too long are cut instead of wrapped.
    static let enter = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[?7l\u{1b}[2J"
    static let leave = "\u{1b}[?7h\u{1b}[?25h\u{1b}[?1049l"

    private static let home = "\u{1b}[H"
    private static let clearRestOfLine = "\u{1b}[K"
    private static let clearBelow = "\u{1b}[J"

    /// Draws over the last frame without clearing it first, which would flicker.
    static func frame(_ lines: [String], rows: Int) -> String {
        let hidden = lines.count - max(1, rows - 1)
        let shown = hidden > 0 ? lines.dropLast(hidden + 1) + ["… and \(hidden + 1) more"] : lines[...]
        let drawn = shown.map { $0 + clearRestOfLine + "\r\n" }.joined()
        return home + drawn + clearBelow
    }
}
