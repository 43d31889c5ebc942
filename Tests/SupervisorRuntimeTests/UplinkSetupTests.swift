import DeviceConfiguration
import Glibc
import LinuxSystem
import TestSupport
import Testing

@testable import SupervisorRuntime

@Suite(.timeLimit(.minutes(1))) struct UplinkSetupTests {
    private let folder: TemporaryDirectory
    private var isRoot: Bool { SystemCall.effectiveUserID() == 0 }

    init() throws {
        folder = try TemporaryDirectory()
    }

    private func setup() throws -> UplinkSetup {
        let text = "[runtime]\nstate_dir = \"\(folder.path)/state\""
        let report = Configuration.read(
            [ConfigurationSource(file: "t", bytes: Array(text.utf8))], hostName: "h")
        return UplinkSetup(try #require(report.configuration))
    }

    @Test("its folders are made, closed to all others, and its own")
    func folders() throws {
        let setup = try setup()
        for place in ["uplink", "spool"] {
            let status = try SystemCall.status(of: "\(folder.path)/state/\(place)")
            #expect(status.kind == .directory && status.mode & 0o777 == 0o700)
            if let identity = setup.confinement.identity { #expect(status.uid == identity.uid) }
        }
        #expect(!setup.isGone)
        #expect(setup.fingerprint == (try self.setup().fingerprint))
        try SystemCall.removeDirectory("\(folder.path)/state/spool")
        #expect(setup.isGone)
        #expect(setup.fingerprint != (try self.setup().fingerprint))
    }

    @Test("what an earlier user has left there is handed over, but no second name of a file from elsewhere")
    func handover() throws {
        guard isRoot else { return }
        let other: UInt32 = 4242
        try RuntimeDirectory.makeDirectories("\(folder.path)/state/spool/events", permissions: 0o755)
        try folder.write("state/spool/events/0001.seg", "x")
        try folder.write("outside", "x")
        try SystemCall.changeOwner(of: "\(folder.path)/state/spool", uid: other, gid: other)
        try SystemCall.changeOwner(of: "\(folder.path)/state/spool/events", uid: other, gid: other)
        try SystemCall.changeOwner(of: "\(folder.path)/state/spool/events/0001.seg", uid: other, gid: other)
        #expect(link("\(folder.path)/outside", "\(folder.path)/state/spool/link") == 0)
        let setup = try setup()
        let identity = try #require(setup.confinement.identity)
        for name in ["spool", "spool/events", "spool/events/0001.seg"] {
            #expect(try SystemCall.status(of: "\(folder.path)/state/\(name)").uid == identity.uid, "\(name)")
        }
        #expect(try SystemCall.status(of: "\(folder.path)/outside").uid == 0)
    }

    @Test("below a folder that its user may not pass it runs as the runtime's own, and says so")
    func unreachable() throws {
        guard isRoot else { return }
        try SystemCall.changeMode(of: folder.path, to: 0o700)
        let setup = try setup()
        #expect(setup.confinement.identity == nil)
        #expect(setup.warnings.contains { $0.contains("chmod o+x \(folder.path)") })
    }
}
