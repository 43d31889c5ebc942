import Testing

@testable import DeviceConfiguration

@Suite struct PluginConfigurationTests {
    private static let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    private static func plugin(_ name: String, _ rest: String = "") -> String {
        "[[plugin]]\nname = \"\(name)\"\nfile = \"/opt/p.so\"\nsha256 = \"\(digest)\"\n\(rest)\n"
    }

    @Test("every key has its effect, and what is absent its default") func values() throws {
        let report = Configuration.read(
            """
            [[plugin]]
            name = "deploy"
            file = "/opt/./deploy.so"
            sha256 = "\(Self.digest.uppercased())"
            kinds = ["bundle.deploy"]
            grants = ["bundle", "artifact", "bundle"]
            memory_max = "32M"
            time_limit = "90s"
            parallel = 3
            \(Self.plugin("other"))
            """)
        #expect(report.problems.map(\.description) == [])
        #expect(
            report.configuration?.plugins == [
                PluginSettings(
                    name: "deploy", file: "/opt/deploy.so", sha256: Self.digest, kinds: ["bundle.deploy"],
                    grants: [.artifact, .bundle], memoryMax: 32 << 20, timeLimit: .seconds(90), parallel: 3),
                PluginSettings(
                    name: "other", file: "/opt/p.so", sha256: Self.digest, kinds: nil, grants: [],
                    memoryMax: 256 << 20, timeLimit: .seconds(600), parallel: 1),
            ])
    }

    @Test(
        "what is missing, wrong or there twice is a problem",
        arguments: [
            ("sha256 = \"e3b0\"", #"plugin.a.sha256: "e3b0" is no SHA-256; allowed: 64 hexadecimal digits"#),
            ("grants = [\"bundles\"]", #"plugin.a.grants[1]: "bundles" is not known (did you mean "bundle"?)"#),
            ("grants = \"bundle\"", #"plugin.a.grants: found the string "bundle""#),
            ("kinds = []", "plugin.a.kinds: has 0 kinds"),
            ("kinds = [\"a b\"]", #"plugin.a.kinds[1]: "a b" is not a name"#),
            ("kinds = [\"x\", \"x\"]", #"plugin.a.kinds: "x" stands there twice"#),
            ("memory_max = \"1M\"", #"plugin.a.memory_max: "1M" is too small"#),
            ("parallel = 0", "plugin.a.parallel: 0 is out of range"),
            ("file = \"p.so\"", #"plugin.a.file: "p.so" is not an absolute path"#),
        ])
    func problems(line: String, problem: String) {
        let key = line.split(separator: " ")[0]
        let rest = [("file", "/opt/p.so"), ("sha256", Self.digest)].filter { $0.0 != key }
            .map { "\($0.0) = \"\($0.1)\"" }
        let report = Configuration.read("[[plugin]]\nname = \"a\"\n\(line)\n\(rest.joined(separator: "\n"))\n")
        #expect(report.problems.count >= 1)
        #expect(report.problems.contains { $0.description.contains(problem) }, "\(report.problems)")
    }

    @Test("a name and a kind belong to one plugin") func clashes() {
        let report = Configuration.read(
            Self.plugin("a", "kinds = [\"x\"]") + Self.plugin("a") + Self.plugin("b", "kinds = [\"x\"]"))
        #expect(
            report.problems.map(\.description) == [
                "t.toml:7:8: plugin.a.name: \"a\" is already the name of the plugin at t.toml:2:8; "
                    + "allowed: a name that no other plugin has",
                "t.toml:15:9: plugin.b.kinds: \"x\" is carried out by plugin.a already; allowed: each kind once",
            ])
    }

    @Test("what it cannot do without is asked for") func missing() {
        let problems = Configuration.read("[[plugin]]\nname = \"a\"\n").problems.map(\.description)
        #expect(problems.count == 2)
        #expect(problems.allSatisfy { $0.contains("is missing") }, "\(problems)")
    }
}
