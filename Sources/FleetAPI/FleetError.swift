/// What is wrong with something that came from outside.
package struct FleetError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Open: handle those you know.
    package struct Code: Hashable, Sendable {
        package var rawValue: String

        package static let invalidToken = Code(rawValue: "invalid-token")
        package static let invalidBatch = Code(rawValue: "invalid-batch")
        package static let tooManyLines = Code(rawValue: "too-many-lines")
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
