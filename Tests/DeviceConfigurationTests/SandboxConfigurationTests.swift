import LinuxSystem
import Testing

@testable import DeviceConfiguration

@Suite struct SandboxConfigurationTests {
    private static func read(_ sandbox: String, runtimeDirectory: String = "/run/holdfast") -> ConfigurationReport {
        Configuration.read(
            """
            [runtime]
            runtime_dir = "\(runtimeDirectory)"
            [[worker]]
            name = "a"
            command = ["/opt/a/run"]
            working_directory = "/opt/a/data"
            [worker.sandbox]
            \(sandbox)
            """)
    }

    @Test("every key has its effect, and paths are compared as places") func values() throws {
        let report = Self.read(
            """
            no_new_privs = true
            read_only_paths = ["//", "/opt/./a/"]
            writable_paths = ["/opt/a/data/"]
            hidden_paths = ["/root"]
            private_tmp = true
            network = false
            """)
        #expect(report.problems.map(\.description) == [])
        let sandbox = try #require(report.configuration?.launches["a"]?.sandbox)
        #expect(sandbox.forbidsNewPrivileges)
        #expect(
            sandbox.view
                == Sandbox(
                    [
                        Sandbox.Place("/", .readOnly), Sandbox.Place("/opt/a", .readOnly),
                        Sandbox.Place("/opt/a/data", .writable), Sandbox.Place("/root", .hidden),
                        Sandbox.Place("/tmp", .scratch), Sandbox.Place("/var/tmp", .scratch),
                    ], hasNetwork: false))
    }

    @Test("a worker that asks for nothing gets nothing", arguments: ["", "network = true", "hidden_paths = []"])
    func nothing(text: String) throws {
        let sandbox = try #require(Self.read(text).configuration?.launches["a"]?.sandbox)
        #expect(sandbox == WorkerSandbox())
        #expect(sandbox.view == nil)
    }

    @Test(
        "what contradicts itself, or takes from the worker what it needs, is a problem",
        arguments: [
            (
                "hidden_paths = [\"/root\", \"x\", \"/a/../b\"]",
                [
                    #"t.toml:8:26: worker.a.sandbox.hidden_paths[2]: "x" is not an absolute path; allowed: an absolute path without "..""#,
                    #"t.toml:8:31: worker.a.sandbox.hidden_paths[3]: "/a/../b" leads up again; allowed: an absolute path without "..""#,
                ]
            ),
            (
                "read_only_paths = \"/\"",
                [
                    #"t.toml:8:19: worker.a.sandbox.read_only_paths: found the string "/"; allowed: an array of at most 64 absolute paths"#
                ]
            ),
            (
                "inaccessible_paths = [\"/root\"]",
                [
                    #"t.toml:8:1: worker.a.sandbox.inaccessible_paths: is not known here (did you mean "hidden_paths"?)"#
                ]
            ),
            (
                "hidden_paths = [\"/\"]",
                [#"t.toml:8:16: worker.a.sandbox.hidden_paths: "/" is everything, the worker's own program included"#]
            ),
            (
                "read_only_paths = [\"/etc\", \"/etc/\"]\nhidden_paths = [\"/etc\"]",
                [
                    #"t.toml:8:19: worker.a.sandbox.read_only_paths: "/etc" stands in read_only_paths twice"#,
                    #"t.toml:9:16: worker.a.sandbox.hidden_paths: "/etc" stands in read_only_paths already"#,
                ]
            ),
            (
                "writable_paths = [\"/etcetera\"]\nread_only_paths = [\"/etc\"]",
                [
                    #"t.toml:8:18: worker.a.sandbox.writable_paths: "/etcetera" is not below any of read_only_paths; allowed: paths that would be read-only otherwise"#
                ]
            ),
            (
                "hidden_paths = [\"/home\", \"/home/a\"]\nread_only_paths = [\"/home/b\"]",
                [
                    #"t.toml:8:16: worker.a.sandbox.hidden_paths: nothing is left at "/home/a", since "/home" is hidden"#,
                    #"t.toml:9:19: worker.a.sandbox.read_only_paths: nothing is left at "/home/b", since "/home" is hidden"#,
                ]
            ),
            (
                "private_tmp = true\nhidden_paths = [\"/tmp\"]",
                [
                    #"t.toml:9:16: worker.a.sandbox.hidden_paths: nothing is left at "/tmp", since private_tmp replaces "/tmp""#
                ]
            ),
            (
                "hidden_paths = [\"/opt/a/data\"]",
                [
                    #"t.toml:8:16: worker.a.sandbox.hidden_paths: its working_directory is "/opt/a/data", but "/opt/a/data" is hidden"#
                ]
            ),
            (
                "hidden_paths = [\"/run\", \"/opt/a/run\"]",
                [
                    #"t.toml:8:16: worker.a.sandbox.hidden_paths: its notify socket is in runtime_dir, "/run/holdfast", but "/run" is hidden"#,
                    #"t.toml:8:16: worker.a.sandbox.hidden_paths: its program is "/opt/a/run", but "/opt/a/run" is hidden"#,
                ]
            ),
        ])
    func problems(text: String, messages: [String]) {
        #expect(Self.read(text).problems.map(\.description) == messages)
    }

    @Test("private_tmp does not go with a runtime_dir in /tmp") func temporaryRuntime() {
        #expect(
            Self.read("private_tmp = true", runtimeDirectory: "/tmp/holdfast").problems.map(\.description) == [
                #"t.toml:8:15: worker.a.sandbox.private_tmp: its notify socket is in runtime_dir, "/tmp/holdfast", but private_tmp replaces "/tmp""#
            ])
    }

    @Test("variables set it like any other setting") func overrides() throws {
        let report = Configuration.read(
            "[[worker]]\nname = \"a\"\ncommand = [\"/bin/true\"]\n",
            variables: [
                ("HOLDFAST_CONFIG__WORKER__A__SANDBOX__HIDDEN_PATHS", "/root,/home"),
                ("HOLDFAST_CONFIG__WORKER__A__SANDBOX__NETWORK", "false"),
            ])
        #expect(report.problems.map(\.description) == [])
        let sandbox = try #require(report.configuration?.launches["a"]?.sandbox)
        #expect(sandbox.hiddenPaths == ["/root", "/home"])
        #expect(!sandbox.hasNetwork)
    }
}
