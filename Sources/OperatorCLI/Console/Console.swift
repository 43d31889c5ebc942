import ControlProtocol
import DeviceConfiguration
import LinuxSystem

/// Where a command writes, and what it knows of the place. Tests give it buffers instead of descriptors.
final class Console {
    /// Facts about the standard streams and the environment.
    struct Surroundings: Sendable {
        var isInputTerminal: Bool
        var isOutputTerminal: Bool
        var isErrorTerminal: Bool
        /// Of the terminal that standard output is; `nil` when it is none.
        var columns: Int?
        var environment: [String: String]
        /// The variables that override settings of the configuration.
        var configurationVariables: [ConfigurationVariable]

        init(
            isInputTerminal: Bool = false, isOutputTerminal: Bool = false, isErrorTerminal: Bool = false,
            columns: Int? = nil, environment: [String: String] = [:],
            configurationVariables: [ConfigurationVariable] = []
        ) {
            self.isInputTerminal = isInputTerminal
            self.isOutputTerminal = isOutputTerminal
            self.isErrorTerminal = isErrorTerminal
            self.columns = columns
            self.environment = environment
            self.configurationVariables = configurationVariables
        }
    }

    let surroundings: Surroundings
    private let writeOutput: ([UInt8]) throws(SystemError) -> Void
    private let writeError: ([UInt8]) throws(SystemError) -> Void
    /// Standard input up to its end, but at most that many bytes of it.
    let readInput: (_ limit: Int) throws(SystemError) -> [UInt8]
    /// By `--no-color`.
    var refusesColour = false

    init(
        _ surroundings: Surroundings, output: @escaping ([UInt8]) throws(SystemError) -> Void,
        error: @escaping ([UInt8]) throws(SystemError) -> Void,
        input: @escaping (Int) throws(SystemError) -> [UInt8] = { (_) throws(SystemError) in [] }
    ) {
        self.surroundings = surroundings
        writeOutput = output
        writeError = error
        readInput = input
    }

    /// Colours are for terminals, and not for those who refuse them (no-color.org).
    var palette: Palette { palette(isTerminal: surroundings.isOutputTerminal) }
    private var errorPalette: Palette { palette(isTerminal: surroundings.isErrorTerminal) }

    private func palette(isTerminal: Bool) -> Palette {
        let isRefused =
            refusesColour || surroundings.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
            || surroundings.environment["TERM"] == "dumb"
        return Palette(hasColour: isTerminal && !isRefused)
    }

    func print(_ lines: [String]) throws(SystemError) {
        guard !lines.isEmpty else { return }
        try writeOutput(Array((lines.joined(separator: "\n") + "\n").utf8))
    }

    func print(_ line: String) throws(SystemError) {
        try print([line])
    }

    func print(_ json: JSONValue) throws(SystemError) {
        try writeOutput(json.serialised() + [UInt8(ascii: "\n")])
    }

    /// Bytes for the terminal itself.
    func write(_ text: String) throws(SystemError) {
        try writeOutput(Array(text.utf8))
    }

    /// One line about a failure. There is nobody left to tell when that fails.
    func complain(_ message: String) {
        try? writeError(Array((errorPalette(.bad, "holdfast:") + " \(message)\n").utf8))
    }

    /// Text for standard error as it is.
    func complain(verbatim text: String) {
        try? writeError(Array((text + "\n").utf8))
    }
}
