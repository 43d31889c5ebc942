import DeviceConfiguration
import Glibc
import LinuxSystem
import TestSupport
import Testing

@testable import SupervisorRuntime

@Suite(.timeLimit(.minutes(1))) struct KeeperSetupTests {
    private let folder: TemporaryDirectory
    private var store: String { "\(folder.path)/state/bundles" }
    private static let keeper = SpawnRequest.Identity(uid: 4242, gid: 4242)

    init() throws {
        folder = try TemporaryDirectory()
    }

    /// As `holdfast bundle install` of root leaves it.
    private func install() throws {
        let files = "\(store)/hello/versions/1.0@aa/files/share/hello/words"
        try RuntimeDirectory.makeDirectories(files, permissions: 0o755)
        try RuntimeDirectory.makeDirectories("\(store)/objects", permissions: 0o700)
        try RuntimeDirectory.makeDirectories("\(store)/objects/ab", permissions: 0o700)
        try folder.write("state/bundles/objects/ab/cdef", "hello", permissions: 0o444)
        #expect(link("\(store)/objects/ab/cdef", "\(files)/hello.txt") == 0)
        try SystemCall.makeSymbolicLink("\(store)/hello/current", target: "versions/1.0@aa")
    }

    @Test(
        "a store that root has made is handed over with all that is in it, and everybody may read it",
        .enabled(if: SystemCall.effectiveUserID() == 0))
    func handover() throws {
        try install()
        try SystemCall.changeMode(of: store, to: 0o700)
        let place = PrivateFolder(store, owner: Self.keeper, permissions: 0o755)
        #expect(place.warning == nil)
        #expect(try SystemCall.status(of: store).mode == 0o755)
        let words = "hello/versions/1.0@aa/files/share/hello/words"
        for name in ["", "objects/ab", "objects/ab/cdef", "hello", words, "\(words)/hello.txt"] {
            #expect(try SystemCall.status(of: "\(store)/\(name)").uid == Self.keeper.uid, "\(name)")
        }
        #expect(try SystemCall.status(of: "\(store)/objects").mode == 0o700)
    }

    @Test(
        "a second name is not handed over where somebody else could have put it",
        .enabled(if: SystemCall.effectiveUserID() == 0))
    func secondNames() throws {
        try install()
        try folder.write("shadow", "x")
        #expect(link("\(folder.path)/shadow", "\(store)/hello/shadow") == 0)
        try SystemCall.changeMode(of: "\(store)/hello", to: 0o777)
        _ = PrivateFolder(store, owner: Self.keeper, permissions: 0o755)
        #expect(try SystemCall.status(of: "\(folder.path)/shadow").uid == 0)
        #expect(try SystemCall.status(of: "\(store)/objects/ab/cdef").uid == Self.keeper.uid)
        // Nor is it the next time, when the folder is the other user's own.
        #expect(link("\(folder.path)/shadow", "\(store)/objects/ab/shadow") == 0)
        _ = PrivateFolder(store, owner: SpawnRequest.Identity(uid: 4343, gid: 4343), permissions: 0o755)
        #expect(try SystemCall.status(of: "\(folder.path)/shadow").uid == 0)
    }

    @Test("without its user nothing is started as another one; without root everything is one user's")
    func user() throws {
        let text = "[runtime]\nstate_dir = \"\(folder.path)/state\""
        let report = Configuration.read([ConfigurationSource(file: "t", bytes: Array(text.utf8))], hostName: "h")
        let setup = KeeperSetup(try #require(report.configuration))
        let isMissing = try AccountDatabase.user(named: BundleFolder.owner) == nil
        if SystemCall.effectiveUserID() == 0, isMissing {
            #expect(setup.obstacle?.contains("systemd-sysusers") == true)
            #expect((try? SystemCall.status(of: store)) == nil, "nothing is made either")
        } else {
            #expect(setup.obstacle == nil)
            #expect(try SystemCall.status(of: store).mode == 0o755)
        }
    }
}
