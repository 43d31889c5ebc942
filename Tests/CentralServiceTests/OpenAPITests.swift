import Foundation
import HTTPTypes
import Testing

@testable import CentralService

@Suite("docs/openapi.yaml", .timeLimit(.minutes(1)))
struct OpenAPITests {
    @Test("describes every route that central answers, and no other")
    func routes() async throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/openapi.yaml")
        let described = Self.operations(in: try String(contentsOf: file, encoding: .utf8))
        try await CentralUnderTest.with { central in
            let served = Set(central.central.routes.map { "\($0.method.rawValue.lowercased()) \($0.path)" })
            #expect(served.subtracting(described) == [], "not described")
            #expect(described.subtracting(served) == [], "not served")
            #expect(served.count == central.central.routes.count)
        }
    }

    /// Methods and paths, by the indentation of the file; that it is valid, and the answers with it, is checked in
    /// Tests/Shell/70-central.
    private static func operations(in text: String) -> Set<String> {
        let methods: Set = ["get", "put", "post", "delete", "patch", "head", "options", "trace"]
        var operations: Set<String> = []
        var path: String?
        for line in text.split(separator: "\n") {
            let indent = line.prefix { $0 == " " }.count
            let key = line.dropFirst(indent).prefix { $0 != ":" }
            switch indent {
            case 0: path = nil
            case 2: path = key.hasPrefix("/") ? String(key) : nil
            case 4:
                if let path, methods.contains(String(key)) { operations.insert("\(key) \(path)") }
            default: break
            }
        }
        return operations
    }
}
