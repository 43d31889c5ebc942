import ArgumentParser
import ControlProtocol

struct CheckCommand: OperatorCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check the configuration.",
        discussion: """
            EXAMPLES
              holdfast check
              holdfast check new.toml
            """)

    @OptionGroup var output: OutputOptions

    func perform(on console: Console) throws {
        throw CommandError(code: .failed, message: "check is not built yet")
    }
}
