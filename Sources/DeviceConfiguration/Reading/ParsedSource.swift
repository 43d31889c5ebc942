/// A text of the configuration, parsed once for however many readings.
struct ParsedSource: Sendable {
    let source: ConfigurationSource
    /// The bundle whose part of the tree it is; `nil` for the configuration's own.
    let bundle: String?
    /// `nil` when it cannot be parsed.
    let table: TOMLTable?
    let problem: ConfigurationProblem?

    var file: String { source.file }

    init(_ source: ConfigurationSource, bundle: String? = nil) {
        self.source = source
        self.bundle = bundle
        if let position = UTF8Check.firstMistake(in: source.bytes) {
            table = nil
            problem = ConfigurationProblem(
                kind: .file, file: source.file, position: position, message: "is not UTF-8 text",
                allowed: "TOML in UTF-8")
            return
        }
        do throws(TOMLFailure) {
            table = try TOMLParser.parse(source.bytes)
            problem = nil
        } catch {
            table = nil
            problem = ConfigurationProblem(
                kind: .syntax, file: source.file, position: error.position,
                message: "is not valid TOML: \(error.reason)")
        }
    }
}
