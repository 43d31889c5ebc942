import ControlProtocol
import FleetAPI

/// What has become of a command.
struct CommandEnd: Equatable {
    var state: CommandState
    var message: String?
    var result: JSONValue?

    static func succeeded(_ result: JSONValue? = nil) -> CommandEnd { CommandEnd(state: .succeeded, result: result) }
    static func failed(_ message: String) -> CommandEnd { CommandEnd(state: .failed, message: message) }
    static func rejected(_ message: String) -> CommandEnd { CommandEnd(state: .rejected, message: message) }
}

/// The kinds of commands that this device carries out. Open: whoever can do more adds to it.
final class CommandTable {
    struct Kind {
        /// It does no harm when it is done twice, as happens when the uplink dies over it.
        var isRepeatable: Bool
        /// Calls back once, at any time.
        var carryOut: (CommandOrder, @escaping (CommandEnd) -> Void) -> Void
    }

    private(set) var kinds: [String: Kind] = [:]

    func add(
        _ name: String, isRepeatable: Bool, _ carryOut: @escaping (CommandOrder, @escaping (CommandEnd) -> Void) -> Void
    ) {
        kinds[name] = Kind(isRepeatable: isRepeatable, carryOut: carryOut)
    }

    /// For the message of a command that is rejected.
    var names: String { kinds.keys.sorted().joined(separator: ", ") }
}
