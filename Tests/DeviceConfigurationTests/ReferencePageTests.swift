import LinuxSystem
import Testing

@testable import DeviceConfiguration

/// docs/configuration.md is normative, so it must say what the code does.
@Suite(.timeLimit(.minutes(1))) struct ReferencePageTests {
    private let lines: [String]

    init() throws {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let bytes = try SystemCall.readFile("/\(root)/docs/configuration.md", limit: 1 << 20)
        lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    /// The lines below the heading of a table, up to the next heading.
    private func section(_ schema: TableSchema) -> [String] {
        let heading = schema.path == "stop_plan" ? "## Steps of `stop_plan`" : "## `\(schema.header)`"
        guard let start = lines.firstIndex(of: heading) else { return [] }
        return Array(lines[(start + 1)...].prefix { !$0.hasPrefix("## ") })
    }

    @Test("every key stands in its table's section with its type, default and meaning, and no other key does")
    func rows() {
        for schema in ConfigurationSchema.tables {
            let stated = section(schema).filter { $0.hasPrefix("| `") }
            #expect(stated == schema.settings.map(\.referenceRow), "section \(schema.header)")
        }
    }

    @Test("every table has an example, and every example is a valid configuration")
    func examples() {
        for schema in ConfigurationSchema.tables {
            #expect(section(schema).contains("```toml"), "section \(schema.header) has no example")
        }
        var rest = lines[...]
        var count = 0
        while let start = rest.firstIndex(of: "```toml") {
            let body = rest[(start + 1)...].prefix { $0 != "```" }
            rest = rest[body.endIndex...]
            let report = Configuration.read(body.joined(separator: "\n"))
            #expect(report.problems.map(\.description) == [], "example at line \(start + 1)")
            count += 1
        }
        #expect(count >= ConfigurationSchema.tables.count)
    }
}
