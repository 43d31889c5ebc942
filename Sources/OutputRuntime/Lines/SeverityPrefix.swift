/// The severity that a line may begin with as `<N>`, N from 0 (emergency) to 7 (debug): sd-daemon(3).
enum SeverityPrefix {
    /// What a line without a prefix counts as: LOG_INFO, as with a service's standard output.
    static let defaultSeverity: UInt8 = 6
    /// LOG_WARNING and LOG_NOTICE of syslog(3), for lines of the runtime itself.
    static let warning: UInt8 = 4
    static let notice: UInt8 = 5

    /// The severity, and the line without the prefix.
    static func split(_ line: UnsafeRawBufferPointer) -> (severity: UInt8, text: UnsafeRawBufferPointer) {
        guard line.count >= 3, line[0] == UInt8(ascii: "<"), line[2] == UInt8(ascii: ">"),
            (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(line[1])
        else { return (defaultSeverity, line) }
        return (line[1] - UInt8(ascii: "0"), UnsafeRawBufferPointer(rebasing: line[3...]))
    }
}
