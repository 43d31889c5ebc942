/// Why the store did not do as asked. What goes wrong within a database comes as that database's own error.
package struct StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Open: handle those you know.
    package struct Code: Hashable, Sendable {
        package var rawValue: String

        package static let notFound = Code(rawValue: "not-found")
        package static let conflict = Code(rawValue: "conflict")
        package static let enrolmentRefused = Code(rawValue: "enrolment-refused")
        package static let tooMany = Code(rawValue: "too-many")
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
