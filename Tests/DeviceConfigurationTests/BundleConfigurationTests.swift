import LinuxSystem
import Supervision
import TestSupport
import Testing

@testable import DeviceConfiguration

/// What bundles bring to the configuration, from a store on disk.
@Suite(.timeLimit(.minutes(1))) struct BundleConfigurationTests {
    private let directory: TemporaryDirectory
    private var main: String { "\(directory.path)/holdfast.toml" }
    private var store: String { "\(directory.path)/state/bundles" }

    init() throws {
        directory = try TemporaryDirectory()
        try writeMain()
        try SystemCall.makeDirectory("\(directory.path)/state")
        try SystemCall.makeDirectory(store)
        // Of every store.
        try SystemCall.makeDirectory("\(store)/objects", permissions: 0o700)
        try SystemCall.makeDirectory("\(store)/staging", permissions: 0o700)
        try directory.write("state/bundles/lock", "1\n")
    }

    private func writeMain(_ more: String = "") throws {
        try directory.write("holdfast.toml", "[runtime]\nstate_dir = \"\(directory.path)/state\"\n" + more)
    }

    private static func worker(_ name: String, in supervisor: String) -> String {
        "[[worker]]\nname = \"\(name)\"\nsupervisor = \"\(supervisor)\"\ncommand = [\"/bin/true\"]\nuser = \"root\"\n"
    }

    private func tree(_ bundle: String, _ workers: String...) -> String {
        "[[supervisor]]\nname = \"\(bundle)\"\n" + workers.map { Self.worker($0, in: bundle) }.joined()
    }

    private func makeFolders(_ bundle: String, _ version: String = "1.0@aa") throws {
        for folder in [bundle, "\(bundle)/versions", "\(bundle)/versions/\(version)"] {
            try? SystemCall.makeDirectory("\(store)/\(folder)")
        }
    }

    /// Makes a version current.
    private func install(_ bundle: String, _ text: String, version: String = "1.0@aa") throws {
        try makeFolders(bundle, version)
        try directory.write("state/bundles/\(bundle)/versions/\(version)/tree.toml", text)
        try? SystemCall.removeFile("\(store)/\(bundle)/current")
        try SystemCall.makeSymbolicLink("\(store)/\(bundle)/current", target: "versions/\(version)")
    }

    private func load(_ policy: BundlePolicy = .judged, _ variables: [String: String] = [:]) -> ConfigurationReport {
        Configuration.load(
            paths: [main],
            variables: variables.sorted { $0.key < $1.key }.map {
                ConfigurationVariable(name: $0.key, value: Array($0.value.utf8))
            }, bundles: policy)
    }

    private func messages(_ problems: [ConfigurationProblem]) -> [String] {
        problems.map { $0.description.replacing("\(directory.path)/", with: "") }
    }

    private func names(_ report: ConfigurationReport) -> [String]? {
        report.configuration?.children.map { child in
            switch child {
            case .worker(let worker): worker.name
            case .supervisor(let supervisor): supervisor.name
            }
        }
    }

    @Test("bundles come after the files, in the order of their names, and their members are known")
    func order() throws {
        try writeMain("[[worker]]\nname = \"own\"\ncommand = [\"/bin/true\"]\nuser = \"root\"\n")
        try install("vision", tree("vision", "camera", "detector"))
        try install("alpha", tree("alpha", "a"), version: "2.0@bb")
        // One without workers, one that was never activated, and what is none.
        try install("runtime", "")
        try makeFolders("staged")
        try directory.write("state/bundles/journal", "x")
        for policy in [BundlePolicy.judged, .leftOut] {
            let report = load(policy)
            #expect(messages(report.problems + report.environmentProblems) == [])
            #expect(report.leftOut == [])
            #expect(names(report) == ["own", "alpha", "vision"])
            #expect(
                report.configuration?.bundles == [
                    "alpha": "alpha", "a": "alpha", "vision": "vision", "camera": "vision", "detector": "vision",
                ])
            #expect(
                report.files.map { $0.replacing("\(directory.path)/", with: "") } == [
                    "holdfast.toml", "state/bundles/alpha/current/tree.toml",
                    "state/bundles/runtime/current/tree.toml", "state/bundles/vision/current/tree.toml",
                ])
            #expect(report.own.map(\.file) == [main], "what is kept is the configuration's own")
        }
        #expect(names(load(.ignored)) == ["own"])
    }

    @Test("where a setting of a bundle's comes from is told by its file")
    func effective() throws {
        try install("vision", tree("vision", "camera"))
        let report = Configuration.load(paths: [main], variables: [], explains: true)
        let camera = try #require(report.effective.first { $0.path == "worker.camera" })
        let command = try #require(camera.settings.first { $0.key == "command" })
        #expect(
            command.source
                == .given(
                    SourcePlace(
                        file: "\(store)/vision/current/tree.toml", position: TextPosition(line: 6, column: 11))))
    }

    @Test("without a store, or with an empty one, nothing is different")
    func noStore() throws {
        #expect(names(load()) == [])
        try writeMain("[runtim]\n")
        #expect(load(.leftOut).problems.count == 1)
        try directory.write("holdfast.toml", "[runtime]\nstate_dir = \"\(directory.path)/elsewhere\"\n")
        #expect(names(load()) == [])
    }

    @Test("the store is looked for where state_dir is, whoever sets it")
    func stateDirectory() throws {
        try directory.write("holdfast.toml", "")
        try install("vision", tree("vision", "camera"))
        let report = load(.judged, ["HOLDFAST_CONFIG__RUNTIME__STATE_DIR": "\(directory.path)/state"])
        #expect(names(report) == ["vision"])
    }

    @Test("what is wrong with a bundle's file is told by its path, and it alone is left out where nothing may fail")
    func wrongBundle() throws {
        try install("broken", "[[worker]\n")
        try install("typo", tree("typo", "t") + "wachdog = \"1s\"\n")
        try install("vision", tree("vision", "camera"))
        let judged = load()
        #expect(judged.configuration == nil)
        #expect(messages(judged.problems).count == 2)
        #expect(messages(judged.problems)[0].hasPrefix("state/bundles/broken/current/tree.toml:1:"))
        #expect(
            messages(judged.problems)[1]
                == #"state/bundles/typo/current/tree.toml:8:1: worker.t.wachdog: is not known here (did you mean "watchdog"?)"#
        )
        let report = load(.leftOut)
        #expect(names(report) == ["vision"])
        #expect(report.leftOut.map(\.name) == ["broken", "typo"])
        #expect(report.leftOut.map(\.version) == ["1.0@aa", "1.0@aa"])
        #expect(report.leftOut.flatMap(\.problems) == judged.problems)
        #expect(report.problems == [])
    }

    @Test("of two with one name the later is left out, and one that clashes with what is left out itself is not")
    func clashes() throws {
        try writeMain("[[worker]]\nname = \"own\"\ncommand = [\"/bin/true\"]\nuser = \"root\"\n")
        try install("a", tree("a", "own", "shared"))
        try install("b", tree("b", "shared"))
        try install("c", tree("c", "shared"))
        let report = load(.leftOut)
        #expect(names(report) == ["own", "b"])
        #expect(report.leftOut.map(\.name) == ["a", "c"])
        let problem = try #require(report.leftOut.last?.problems.first?.description)
        #expect(problem.contains("state/bundles/b/current/tree.toml"), "both places are told: \(problem)")
    }

    @Test("a bundle is one subtree, and has nothing but workers and supervisors")
    func shape() throws {
        try writeMain("[[supervisor]]\nname = \"own\"\n" + Self.worker("stray", in: "good"))
        try install("good", tree("good", "g"))
        try install("inner", tree("inner", "i") + "[[supervisor]]\nname = \"below\"\nparent = \"inner\"\n")
        try install("outside", tree("outside") + Self.worker("o", in: "own"))
        try install("other", tree("other") + Self.worker("x", in: "good"))
        try install("rooted", "[[worker]]\nname = \"r\"\ncommand = [\"/bin/true\"]\n")
        try install("settings", tree("settings") + "[runtime]\nname = \"mine\"\n")
        try install("placed", "[[supervisor]]\nname = \"placed\"\nparent = \"own\"\n")
        #expect(
            messages(load().problems) == [
                #"holdfast.toml:7:14: worker.stray.supervisor: "good" belongs to the bundle good, and comes and goes with it; allowed: a supervisor of the configuration's own"#,
                #"state/bundles/other/current/tree.toml:5:14: worker.x.supervisor: "good" is no supervisor of this bundle"#,
                #"state/bundles/outside/current/tree.toml:5:14: worker.o.supervisor: "own" is no supervisor of this bundle"#,
                #"state/bundles/placed/current/tree.toml:3:10: supervisor.placed.parent: the bundle's own supervisor is a child of the root"#,
                #"state/bundles/rooted/current/tree.toml:1:1: worker.r.supervisor: "root" is no supervisor of this bundle"#,
                #"state/bundles/settings/current/tree.toml:3:2: runtime: is nothing that a bundle can bring; allowed: supervisors and workers"#,
            ])
    }

    @Test(
        "when it cannot be told which one it was, all are left out; what is wrong with the files is wrong all the same")
    func untold() throws {
        try install("vision", tree("vision", "camera"))
        let variables = ["HOLDFAST_CONFIG__WORKER__CAMERA__STOP_TIMEOUT": "soon"]
        #expect(load(.judged, variables).configuration == nil)
        let report = load(.leftOut, variables)
        #expect(names(report) == [])
        #expect(report.leftOut.map(\.name) == ["vision"])
        #expect(report.leftOut.first?.problems.first?.description.contains("STOP_TIMEOUT") == true)

        try writeMain("nme = 1\n")
        let invalid = load(.leftOut)
        #expect(invalid.configuration == nil)
        #expect(
            messages(invalid.problems) == [#"holdfast.toml:3:1: runtime.nme: is not known here (did you mean "name"?)"#]
        )
    }

    @Test("a variable may set what a bundle brings, also while the bundle is left out")
    func variables() throws {
        try install("vision", tree("vision", "camera"))
        let variables = ["HOLDFAST_CONFIG__WORKER__CAMERA__NICE": "7"]
        #expect(load(.judged, variables).configuration?.launches["camera"]?.nice == 7)
        try install("vision", "[[worker]\n")
        #expect(names(load(.leftOut, variables)) == [])
    }

    private func objection(to bundle: String) -> String? {
        let report = load(.leftOut)
        #expect(names(report) == ["vision"], "the other one stays")
        #expect(report.leftOut.map(\.name) == [bundle])
        return report.leftOut.first?.problems.first?.message
    }

    @Test(
        "a link that leads anywhere but to a version of its bundle is not followed",
        arguments: [
            "/etc", "versions/../../other/versions/1.0@aa", "versions/..", "versions/", "versions", "../vision/current",
            "versions/1.0@aa/files",
        ])
    func leadingElsewhere(_ target: String) throws {
        try install("vision", tree("vision", "camera"))
        try install("other", tree("other", "o"))
        try SystemCall.removeFile("\(store)/other/current")
        try SystemCall.makeSymbolicLink("\(store)/other/current", target: target)
        #expect(objection(to: "other")?.contains("leads to") == true)
    }

    @Test("links within the store are not followed either, and what is no file is not opened")
    func links() throws {
        try install("vision", tree("vision", "camera"))
        try install("other", tree("other", "o"))
        let version = "\(store)/other/versions/1.0@aa"
        try SystemCall.removeFile("\(version)/tree.toml")
        #expect(objection(to: "other") == "does not exist")
        try SystemCall.makeSymbolicLink("\(version)/tree.toml", target: "\(store)/vision/current/tree.toml")
        #expect(objection(to: "other") == "is a symbolic link")
        try SystemCall.removeFile("\(version)/tree.toml")
        try SystemCall.makeFIFO("\(version)/tree.toml")
        #expect(objection(to: "other") == "is a FIFO")
        try SystemCall.removeFile("\(version)/tree.toml")
        try SystemCall.removeDirectory(version)
        try SystemCall.makeSymbolicLink(version, target: "../../vision/versions/1.0@aa")
        #expect(objection(to: "other")?.contains("cannot be opened") == true)
        try SystemCall.removeFile(version)
        #expect(objection(to: "other")?.contains("cannot be opened") == true, "a current version that is gone")
    }

    @Test("what others may have written is not read", .enabled(if: SystemCall.effectiveUserID() == 0))
    func owners() throws {
        try install("vision", tree("vision", "camera"))
        try install("other", tree("other", "o"))
        let bundle = "\(store)/other"
        for place in [bundle, "\(bundle)/versions", "\(bundle)/versions/1.0@aa", "\(bundle)/versions/1.0@aa/tree.toml"]
        {
            let handle = try SystemCall.open(place, [.path, .noFollow])
            try SystemCall.changeOwner(of: handle.rawValue, uid: 54321, gid: 0)
            #expect(objection(to: "other")?.contains("belongs to the user 54321") == true, "\(place)")
            try SystemCall.changeOwner(of: handle.rawValue, uid: 0, gid: 0)
            let mode = try SystemCall.status(of: place).mode
            try SystemCall.changeMode(of: place, to: mode | 0o020)
            #expect(objection(to: "other")?.contains("written by others") == true, "\(place)")
            try SystemCall.changeMode(of: place, to: mode)
        }
        #expect(names(load(.leftOut)) == ["other", "vision"])
        // The store itself.
        try SystemCall.changeMode(of: store, to: 0o777)
        let report = load(.leftOut)
        #expect(names(report) == [])
        #expect(report.leftOut.map(\.name) == [store])
        #expect(messages(load().problems) == ["state/bundles: can be written by others (chmod go-w)"])
    }

    @Test("the bundles are read anew on top of files that are kept, whatever has become of those")
    func rereading() throws {
        try writeMain("[[worker]]\nname = \"own\"\ncommand = [\"/bin/true\"]\nuser = \"root\"\n")
        try install("vision", tree("vision", "camera"))
        let first = load()
        try directory.write("holdfast.toml", "[[worker\n")
        try install("vision", tree("vision", "lens"), version: "2.0@bb")
        let report = Configuration.load(keeping: first, changing: ["vision"], variables: [])
        #expect(names(report) == ["own", "vision"])
        #expect(report.configuration?.launches.keys.sorted() == ["lens", "own"])
        #expect(report.own == first.own)
        try install("vision", "[[worker\n", version: "3.0@cc")
        let broken = Configuration.load(keeping: first, changing: ["vision"], variables: [])
        #expect(names(broken) == ["own"])
        #expect(broken.leftOut.map(\.version) == ["3.0@cc"])
    }

    @Test(
        "a bundle that is damaged while another one changes stays as it was; one that clashes with others is to blame itself"
    )
    func innocence() throws {
        for bundle in ["audio", "lidar", "vision"] { try install(bundle, tree(bundle, "\(bundle)-main")) }
        let first = load()
        try install("audio", tree("audio", "audio-next"), version: "2.0@bb")
        try install("lidar", "[[worker\n", version: "2.0@bb")
        try SystemCall.removeFile("\(store)/vision/versions/1.0@aa/tree.toml")
        let report = Configuration.load(keeping: first, changing: ["audio"], variables: [])
        #expect(report.configuration?.launches.keys.sorted() == ["audio-next", "lidar-main", "vision-main"])
        #expect(report.leftOut == [])
        #expect(report.bundles.map(\.version) == ["2.0@bb", "1.0@aa", "1.0@aa"])
        #expect(
            messages(report.environmentProblems).map { $0.split(separator: ":")[0] } == [
                "state/bundles/vision/current/tree.toml", "state/bundles/lidar/current/tree.toml",
            ])
        // From there on as well.
        let next = Configuration.load(keeping: report, changing: ["audio"], variables: [])
        #expect(next.configuration == report.configuration)
        // A name that another one has.
        try install("audio", tree("audio", "vision-main"), version: "3.0@cc")
        let clash = Configuration.load(keeping: report, changing: ["audio"], variables: [])
        #expect(!clash.leftOut.isEmpty, "which is a reason to change nothing")
    }

    @Test("a thousand bundles, also a thousand wrong ones, are read in a moment")
    func thousand() throws {
        for number in 0..<1000 { try install("b\(number)", tree("b\(number)", "w\(number)")) }
        #expect(names(load(.leftOut))?.count == 1000)
        for number in 0..<1000 { try install("b\(number)", tree("b\(number)", "w")) }
        var report: ConfigurationReport?
        let duration = ContinuousClock().measure { report = load(.leftOut) }
        #expect(report.flatMap { names($0) }?.count == 1)
        #expect(report?.leftOut.count == 999)
        #expect(duration < .seconds(20), "also in a debug build on a busy machine")
    }
}
