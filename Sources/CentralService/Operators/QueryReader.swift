import CentralStore
import Hummingbird
import HummingbirdCore

/// The parameters behind a question mark.
struct QueryReader {
    private let parameters: FlatDictionary<Substring, Substring>

    init(_ request: Request) { parameters = request.uri.queryParameters }

    /// - Returns: `nil` when it is not there, or empty.
    func text(_ name: String, limit: Int = 256) throws -> String? {
        guard let value = parameters[name[...]], !value.isEmpty else { return nil }
        guard value.utf8.count <= limit else { throw Problem.invalid("\(name) has to be of \(limit) bytes at most") }
        return String(value)
    }

    func number(_ name: String) throws -> Int64? {
        guard let text = try text(name) else { return nil }
        guard let value = Int64(text), abs(value) < 1 << 53 else {
            throw Problem.invalid("\(name) has to be a whole number")
        }
        return value
    }

    func flag(_ name: String) throws -> Bool? {
        switch try text(name) {
        case nil: nil
        case "true": true
        case "false": false
        default: throw Problem.invalid("\(name) has to be true or false")
        }
    }

    func limit(standard: Int, most: Int) throws -> Int {
        guard let value = try number("limit") else { return standard }
        guard (1...Int64(most)).contains(value) else { throw Problem.invalid("limit has to be 1 to \(most)") }
        return Int(value)
    }
}
