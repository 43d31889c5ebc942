import ArgumentParser

struct SelftestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest", abstract: "Break things on purpose, away from the runtime of this device.",
        subcommands: [CrashMatrixCommand.self])
}
