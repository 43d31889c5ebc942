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
        /// Others need not wait for it: whoever carries it out keeps the order.
        var isIndependent = false
        /// Calls back once, at any time; before that with what there is to say of the progress, as often as it likes.
        var carryOut: (CommandOrder, _ progress: @escaping (String) -> Void, @escaping (CommandEnd) -> Void) -> Void
    }

    private var builtIn: [String: Kind] = [:]
    /// Of plugins. What the runtime does itself, no plugin does.
    var others: [String: Kind] = [:]

    subscript(name: String) -> Kind? { builtIn[name] ?? others[name] }

    func add(
        _ name: String, isRepeatable: Bool, _ carryOut: @escaping (CommandOrder, @escaping (CommandEnd) -> Void) -> Void
    ) {
        builtIn[name] = Kind(isRepeatable: isRepeatable) { order, _, done in carryOut(order, done) }
    }

    /// For the message of a command that is rejected.
    var names: String { Set(builtIn.keys).union(others.keys).sorted().joined(separator: ", ") }
}
