import ArgumentParser

/// A command that does something, as opposed to one that only groups others.
protocol OperatorCommand: ParsableCommand {
    var output: OutputOptions { get }

    /// Throws `ClientError`, `CommandError`, or `SystemError` when the console fails.
    func perform(on console: Console) throws
}
