import DeviceConfiguration
import LinuxSystem

extension Console {
    /// The console of this process: descriptors 0, 1 and 2.
    static func ofProcess() -> Console {
        let variables = [
            "NO_COLOR", "TERM", "HOME", "XDG_CONFIG_HOME", ConnectionOptions.socketVariable,
            FleetLogins.variable, EmitCommand.socketVariable,
        ]
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
            error: { (bytes) throws(SystemError) in try writeAll(bytes, to: 2) },
            input: { (limit) throws(SystemError) in try readAll(0, limit: limit) })
    }

    /// Reads up to the end, waiting where somebody has set the descriptor to non-blocking.
    private static func readAll(_ descriptor: Int32, limit: Int) throws(SystemError) -> [UInt8] {
        try withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) {
            (buffer) throws(SystemError) -> [UInt8] in
            var bytes: [UInt8] = []
            while bytes.count < limit {
                switch try SystemCall.read(descriptor, into: buffer) {
                case .done(0): return bytes
                case .done(let count): bytes += buffer.prefix(count)
                case .wouldBlock: _ = try SystemCall.wait(for: descriptor, .readable, timeout: nil)
                }
            }
            return Array(bytes.prefix(limit))
        }
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
