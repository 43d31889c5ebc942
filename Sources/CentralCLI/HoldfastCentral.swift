import ArgumentParser
import ControlProtocol

/// The program `holdfast-central`.
struct HoldfastCentral: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holdfast-central",
        abstract: "The central service of a fleet of Holdfast devices.",
        discussion: """
            Begin with:  holdfast-central serve
            Then:        holdfast-central token create --operator NAME --role admin
                         holdfast-central token create --enrol
            """,
        version: HoldfastVersion.current,
        subcommands: [Serve.self, Token.self])

}
