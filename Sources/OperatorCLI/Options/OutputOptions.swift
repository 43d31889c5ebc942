import ArgumentParser

/// How a command writes.
struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Print JSON: one document, or one object a line for streams. Errors become JSON as well.")
    var json = false

    @Flag(name: .long, help: "Print without colours, as with NO_COLOR=1 in the environment.")
    var noColor = false
}
