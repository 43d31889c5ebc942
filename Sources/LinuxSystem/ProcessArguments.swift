/// The arguments that this process was started with, its name first.
package enum ProcessArguments {
    /// The standard library looks for them beside `environ`, and finds none once a preloaded library has changed the
    /// environment: a runtime that silently ignored `--config` would run something else than it was told.
    package static func current() -> [String] {
        guard let bytes = try? SystemCall.readFile("/proc/self/cmdline", limit: longest), bytes.last == 0 else {
            return CommandLine.arguments
        }
        return bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    /// What the kernel takes is less (execve(2), a quarter of the stack's limit as a rule).
    private static let longest = 8 << 20
}
