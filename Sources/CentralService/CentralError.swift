/// Why central cannot begin, or go on.
package struct CentralError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Open: handle those you know.
    package struct Code: Hashable, Sendable {
        package var rawValue: String

        package static let certificate = Code(rawValue: "certificate")
        package static let dataFolder = Code(rawValue: "data-folder")
        package static let content = Code(rawValue: "content")
        package static let address = Code(rawValue: "address")
        package static let argument = Code(rawValue: "argument")
    }

    package var code: Code
    /// What is wrong, and what to do.
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
