import LinuxSystem
import MonotonicTime

/// What the dynamic linker cannot find for a library, all of it: dlopen(3) stops at the first thing that is missing. The linker is
/// run as ldd(1) does, and executes nothing of the library.
enum LinkerTrace {
    private static let longestOutput = 1 << 20
    private static let timeLimit = Duration.seconds(10)

    /// - Parameter searchPath: as `LD_LIBRARY_PATH`.
    static func missing(in library: String, searchPath: String) throws(SystemError) -> [PluginFinding] {
        guard let linker = SystemCall.programInterpreter else { return [] }
        let output = try run(
            linker, library,
            environment: [
                "LD_TRACE_LOADED_OBJECTS=1", "LD_WARN=yes", "LD_BIND_NOW=yes", "LD_LIBRARY_PATH=\(searchPath)",
            ])
        return findings(in: output)
    }

    /// Of what ldd(1) would print for `ldd -r`.
    static func findings(in output: String) -> [PluginFinding] {
        var libraries: [PluginFinding] = []
        var symbols: [PluginFinding] = []
        for line in output.split(separator: "\n") {
            let text = line.drop { $0 == "\t" || $0 == " " }
            if text.hasSuffix(" => not found") {
                let name = text.dropLast(" => not found".count)
                libraries.append(PluginFinding("libraries", "it needs the library \(name), which is not there"))
            } else if text.hasPrefix("undefined symbol: ") {
                let name = text.dropFirst("undefined symbol: ".count).prefix { $0 != "\t" && $0 != " " }
                symbols.append(PluginFinding("symbols", "it needs \(name), which no library has"))
            } else if text.contains(": version `"), text.contains("not found") {
                libraries.append(PluginFinding("libraries", String(text)))
            }
        }
        return libraries + symbols
    }

    private static func run(
        _ linker: String, _ library: String, environment: [String]
    ) throws(SystemError) -> String {
        let (readEnd, writeEnd) = try SystemCall.makePipe(nonBlocking: true).shared()
        guard let input = readEnd.rawValue, let output = writeEnd.rawValue else { return "" }
        var request = SpawnRequest(executable: linker, arguments: [linker, library], environment: environment)
        request.output = .descriptors(output: output, error: output)
        let process = try ChildProcess.spawn(request)
        writeEnd.close()
        let deadline = MonotonicClock.now().advanced(by: timeLimit)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < longestOutput {
            let left = MonotonicClock.now().duration(to: deadline)
            guard left > .zero, try SystemCall.wait(for: input, .readable, timeout: left) else { break }
            let result = chunk.withUnsafeMutableBytes { try? SystemCall.read(input, into: $0) }
            guard let count = result?.value, count > 0 else { break }
            bytes += chunk.prefix(count)
        }
        try process.signal(SignalNumber.kill)
        _ = try SystemCall.wait(for: process.exitDescriptor, .readable, timeout: nil)
        _ = process.exit(keepingZombie: false)
        return String(decoding: bytes, as: UTF8.self)
    }
}
