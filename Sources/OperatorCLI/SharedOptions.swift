/// The options that every command shares, when they stand before the command's name: `holdfast --socket PATH status`.
/// The parser knows them only behind it, since a root command cannot hand its options down.
enum SharedOptions {
    private static let withValue: Set = ["--socket", "--timeout"]
    private static let flags: Set = ["--json", "--no-color"]

    /// The same arguments with the shared options behind the command's name; unchanged when no name follows.
    static func moveBehindCommand(_ arguments: [String]) -> [String] {
        var leading = 0
        while leading < arguments.count {
            let argument = arguments[leading]
            if withValue.contains(argument), leading + 1 < arguments.count {
                leading += 2
            } else if flags.contains(argument) || withValue.contains(where: { argument.hasPrefix($0 + "=") }) {
                leading += 1
            } else {
                break
            }
        }
        guard leading > 0, leading < arguments.count, !arguments[leading].hasPrefix("-") else { return arguments }
        let rest = arguments[leading...]
        // What follows "--" is no option.
        let end = rest.firstIndex(of: "--") ?? rest.endIndex
        return Array(rest[..<end] + arguments[..<leading] + rest[end...])
    }
}
