import LinuxSystem
import Supervision
import TestSupport
import Testing

@testable import DeviceConfiguration

@Suite(.timeLimit(.minutes(1))) struct ConfigurationFilesTests {
    private let directory: TemporaryDirectory
    private var main: String { "\(directory.path)/holdfast.toml" }

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func worker(_ name: String) -> String {
        "[[worker]]\nname = \"\(name)\"\ncommand = [\"/bin/true\"]\nuser = \"root\"\n"
    }

    private func messages(_ report: ConfigurationReport) -> [String] {
        report.problems.map { $0.description.replacing("\(directory.path)/", with: "") }
    }

    @Test("the main file comes first, then conf.d in the order of names; what is not *.toml is left out")
    func order() throws {
        try directory.write("holdfast.toml", worker("main"))
        try directory.write("conf.d/20-b.toml", worker("b"))
        try directory.write("conf.d/10-a.toml", worker("a2") + worker("a1"))
        try directory.write("conf.d/Z.toml", worker("z"))
        try directory.write("conf.d/readme.txt", "no TOML")
        try directory.write("conf.d/.hidden.toml", "no TOML")
        try directory.write("conf.d/old.toml~", "no TOML")
        let report = Configuration.load(paths: [main])
        #expect(messages(report) == [])
        let names = report.configuration?.children.map { child in
            if case .worker(let worker) = child { worker.name } else { "?" }
        }
        #expect(names == ["main", "a2", "a1", "b", "z"])
        #expect(
            report.files.map { $0.replacing("\(directory.path)/", with: "") } == [
                "holdfast.toml", "conf.d/10-a.toml", "conf.d/20-b.toml", "conf.d/Z.toml",
            ])
    }

    @Test("a supervisor may stand in another file, after its workers; both places of a double name are told")
    func acrossFiles() throws {
        try directory.write(
            "holdfast.toml",
            "[runtime]\nname = \"x\"\n[[worker]]\nname = \"a\"\nsupervisor = \"late\"\ncommand = [\"/bin/true\"]\n")
        try directory.write("conf.d/a.toml", "[[supervisor]]\nname = \"late\"\n" + worker("a"))
        try directory.write("conf.d/b.toml", "[runtime]\nname = \"y\"\nevent_buffer = 100\n")
        #expect(
            messages(Configuration.load(paths: [main])) == [
                #"conf.d/a.toml:4:8: worker.a.name: "a" is already the name of the worker at \#(directory.path)/holdfast.toml:4:8; allowed: a name that no other worker or supervisor has"#
                    .replacing("\(directory.path)/", with: ""),
                "conf.d/b.toml:2:1: runtime.name: is set already at holdfast.toml:2:8; remove one of them",
            ])
    }

    @Test("every file that cannot be used is one problem, and the others are read all the same")
    func unusableFiles() throws {
        try directory.write("holdfast.toml", "[runtime]\nnme = \"x\"\n")
        try directory.write("conf.d/a.toml", [UInt8](repeating: UInt8(ascii: "#"), count: 10 << 20))
        try directory.write("conf.d/b.toml", Array("# é\n[runtime]\n# ü".utf8) + [0xFF, 0x0A])
        try SystemCall.makeDirectory("\(directory.path)/conf.d/c.toml")
        try SystemCall.makeFIFO("\(directory.path)/conf.d/d.toml")
        try directory.write("conf.d/e.toml", "a = \n")
        #expect(
            messages(Configuration.load(paths: [main])) == [
                #"holdfast.toml:2:1: runtime.nme: is not known here (did you mean "name"?)"#,
                "conf.d/a.toml: has 10485760 bytes; allowed: at most 1048576 (1M)",
                "conf.d/b.toml:3:4: is not UTF-8 text; allowed: TOML in UTF-8",
                "conf.d/c.toml: is a directory; allowed: a regular file",
                "conf.d/d.toml: is a FIFO; allowed: a regular file",
                #"conf.d/e.toml:1:5: is not valid TOML: key-value pair: expected value, saw '\n'"#,
            ])
    }

    @Test("a missing main file and one that is a directory are told as such")
    func missing() {
        #expect(messages(Configuration.load(paths: [main])) == ["holdfast.toml: does not exist"])
        #expect(
            Configuration.load(paths: [directory.path]).problems.map(\.description) == [
                "\(directory.path): is a directory; allowed: a regular file"
            ])
        #expect(
            Configuration.load(paths: ["/proc/self/mem"]).problems.first?.message.hasPrefix("cannot be read") == true)
        #expect(
            Configuration.load(paths: ["/dev/zero"]).problems.map(\.description) == [
                "/dev/zero: is a device; allowed: a regular file"
            ])
    }

    @Test("all files together are limited")
    func total() throws {
        try directory.write("holdfast.toml", "")
        let comment = [UInt8](repeating: UInt8(ascii: "#"), count: 1 << 20)
        for number in 1...9 { try directory.write("conf.d/\(number).toml", comment) }
        #expect(
            messages(Configuration.load(paths: [main])) == [
                "conf.d/9.toml: brings all files together beyond 8388608 bytes; allowed: at most 8388608 (8M)"
            ])
    }

    @Test("what the machine lacks is told apart from what is wrong, and does not make the configuration invalid")
    func environment() throws {
        let plain = try directory.write("plain", "no program")
        try directory.write(
            "holdfast.toml",
            """
            [runtime]
            control_group = "no-such-group"
            default_user = "root"
            [[worker]]
            name = "a"
            command = ["/no/such/program"]
            working_directory = "/no/such/directory"
            user = "no-such-user"
            group = "no-such-group"
            supplementary_groups = ["root", "no-such-group"]
            [[worker]]
            name = "b"
            command = ["no-such-program"]
            environment = { PATH = "/bin:/usr/bin" }
            [[worker]]
            name = "c"
            command = ["\(plain)"]
            working_directory = "\(plain)"
            [[worker]]
            name = "d"
            command = ["./plain"]
            working_directory = "\(directory.path)"
            [[worker]]
            name = "e"
            command = ["/tmp"]
            [[worker]]
            name = "f"
            command = ["sh"]
            user = "root"
            [[worker]]
            name = "g"
            command = ["no/such/program"]
            """)
        let report = Configuration.load(paths: [main])
        #expect(messages(report) == [])
        let configuration = try #require(report.configuration)
        #expect(configuration.launches["a"]?.identity == nil)
        #expect(configuration.launches["f"]?.identity?.uid == 0)
        #expect(configuration.runtime.controlGroupID == nil)
        #expect(report.environmentProblems.allSatisfy { $0.kind == .environment })
        #expect(
            report.environmentProblems.map { $0.description.replacing("\(directory.path)/", with: "") } == [
                #"holdfast.toml:2:17: runtime.control_group: there is no group "no-such-group""#,
                #"holdfast.toml:6:11: worker.a.command: "/no/such/program" does not exist; allowed: an executable file"#,
                #"holdfast.toml:7:21: worker.a.working_directory: "/no/such/directory" does not exist; allowed: an existing directory"#,
                #"holdfast.toml:8:8: worker.a.user: there is no user "no-such-user""#,
                #"holdfast.toml:9:9: worker.a.group: there is no group "no-such-group""#,
                #"holdfast.toml:10:24: worker.a.supplementary_groups: there is no group "no-such-group""#,
                #"holdfast.toml:13:11: worker.b.command: there is no program "no-such-program" in "/bin:/usr/bin"; allowed: an executable file in its PATH, or a path"#,
                #"holdfast.toml:17:11: worker.c.command: "plain" is not executable; allowed: an executable file"#,
                #"holdfast.toml:18:21: worker.c.working_directory: "plain" is not a directory"#,
                #"holdfast.toml:21:11: worker.d.command: "./plain" is not executable; allowed: an executable file"#,
                #"holdfast.toml:25:11: worker.e.command: "/tmp" is a directory; allowed: an executable file"#,
                #"holdfast.toml:32:11: worker.g.command: "/no/such/program" does not exist; allowed: an executable file"#,
            ])
    }

    @Test("a launcher's program is looked for like its own")
    func launcher() throws {
        let launcher = try directory.write("holdfast-imunoedge", "#!/bin/sh\n", permissions: 0o755)
        try directory.write(
            "holdfast.toml",
            """
            [[worker]]
            name = "a"
            command = ["\(launcher)", "no-such-program"]
            user = "root"
            [[worker]]
            name = "b"
            command = ["\(launcher)", "./holdfast-imunoedge"]
            working_directory = "\(directory.path)"
            user = "root"
            """)
        let problems = Configuration.load(paths: [main]).environmentProblems
        #expect(problems.map(\.key) == ["worker.a.command"])
        #expect(problems.first?.message.hasPrefix("there is no program \"no-such-program\"") == true)
    }

    @Test("an unknown default user is told where it was set, once")
    func defaultUser() throws {
        try directory.write(
            "holdfast.toml",
            "[runtime]\ndefault_user = \"no-such-user\"\n[[worker]]\nname = \"a\"\ncommand = [\"/bin/true\"]\n"
                + "[[worker]]\nname = \"b\"\ncommand = [\"/bin/true\"]\n")
        #expect(
            Configuration.load(paths: [main]).environmentProblems.map {
                $0.description.replacing("\(directory.path)/", with: "")
            } == [#"holdfast.toml:2:16: runtime.default_user: there is no user "no-such-user""#])
    }
}
