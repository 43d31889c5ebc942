import Configuration
import LinuxSystem

extension Console {
    /// The console of this process: descriptors 0, 1 and 2.
    static func ofProcess() -> Console {
        let variables = ["NO_COLOR", "TERM", ConnectionOptions.socketVariable]
        let environment = variables.reduce(into: [:]) { $0[$1] = ProcessEnvironment.value($1) }
        let isOutputTerminal = Terminal.isTerminal(1)
        let surroundings = Surroundings(
            isInputTerminal: Terminal.isTerminal(0), isOutputTerminal: isOutputTerminal,
            isErrorTerminal: Terminal.isTerminal(2),
            columns: isOutputTerminal ? Terminal.size(of: 1)?.columns : nil, environment: environment,
            configurationVariables: ConfigurationVariable.ofProcess())
        return Console(
            surroundings,
            output: { (bytes) throws(SystemError) in try writeAll(bytes, to: 1) },
            error: { (bytes) throws(SystemError) in try writeAll(bytes, to: 2) })
    }

    /// Writes everything, waiting for a reader where the descriptor is a full pipe set to non-blocking by someone else.
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch try SystemCall.write(descriptor, Array(rest)) {
            case .done(let count): rest = rest.dropFirst(count)
            case .wouldBlock: _ = try SystemCall.wait(for: descriptor, .writable, timeout: nil)
            }
        }
    }
}
