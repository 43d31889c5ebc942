import Glibc
import LinuxSystem
import TestSupport
import Testing

@testable import SupervisorRuntime

/// The log folder on its way to the user of `holdfast-output`.
@Suite(.timeLimit(.minutes(1))) struct LogFolderTests {
    private static let isRoot = SystemCall.effectiveUserID() == 0
    private let directory: TemporaryDirectory
    private let owner = SpawnRequest.Identity(uid: 4711, gid: 4712)

    init() throws {
        directory = try TemporaryDirectory()
    }

    private var path: String { directory.path + "/log" }

    private func owners(_ name: String = "") throws -> [UInt32] {
        let status = try SystemCall.status(of: "\(path)/\(name)", followingLinks: false)
        return [status.uid, status.gid]
    }

    @Test(.enabled(if: isRoot, "needs root to give files away")) func `a folder that is missing is made for its owner`()
        throws
    {
        let folder = LogFolder(path, owner: owner, group: 4713)
        #expect(folder.warning == nil)
        #expect(try owners() == [4711, 4713])
        #expect(try SystemCall.status(of: path).mode == 0o2750)
        #expect(try SystemCall.status(#require(folder.descriptor?.rawValue)).inode == SystemCall.status(of: path).inode)
    }

    @Test(.enabled(if: isRoot, "needs root to give files away"), arguments: [false, true])
    func `logs of earlier runs are handed over with the folder, or into it`(isOwnedAlready: Bool) throws {
        for name in ["a.log", "a.log.1", "holdfast-events.log"] { try directory.write("log/\(name)", "line\n") }
        if isOwnedAlready { try SystemCall.changeOwner(of: path, uid: 4711, gid: 4712) }
        #expect(LogFolder(path, owner: owner, group: nil).warning == nil)
        for name in ["", "a.log", "a.log.1", "holdfast-events.log"] {
            #expect(try owners(name) == [4711, 4712], "\(name)")
        }
        // Again, when there is nothing to do.
        #expect(LogFolder(path, owner: owner, group: nil).warning == nil)
    }

    @Test(
        .enabled(if: isRoot, "needs root to give files away"), arguments: ["syslog", "apt/term.log", "log", "a.log.1x"])
    func `a folder with anything else in it stays as it is`(other: String) throws {
        for name in ["a.log", other] { try directory.write("log/\(name)", "line\n") }
        let folder = LogFolder(path, owner: owner, group: nil)
        #expect(folder.warning?.contains("more in it than logs") == true)
        #expect(folder.descriptor != nil)
        for name in ["", "a.log", other] { #expect(try owners(name) == [0, 0], "\(name)") }
    }

    @Test(.enabled(if: isRoot, "needs root to give files away"))
    func `what its owner may have put there to get it is not given away`() throws {
        try directory.write("secret", "root's own")
        try SystemCall.makeDirectory(path)
        try SystemCall.changeOwner(of: path, uid: 4711, gid: 4712)
        #expect(link(directory.path + "/secret", path + "/hard.log") == 0)
        #expect(symlink(directory.path + "/secret", path + "/soft.log") == 0)
        try SystemCall.makeDirectory(path + "/folder.log")
        try directory.write("log/other.log", "of a third")
        try SystemCall.changeOwner(of: path + "/other.log", uid: 4800, gid: 4800)
        #expect(LogFolder(path, owner: owner, group: nil).warning == nil)
        for name in ["hard.log", "soft.log", "folder.log"] { #expect(try owners(name) == [0, 0], "\(name)") }
        #expect(try owners("other.log") == [4800, 4800])
        #expect(try SystemCall.status(of: directory.path + "/secret").uid == 0)
    }

    @Test func `without a place for it there is a warning, and no folder`() throws {
        try directory.write("log", "a file")
        let folder = LogFolder(path, owner: nil, group: nil)
        #expect(folder.descriptor == nil)
        #expect(folder.warning?.hasPrefix("there are no log files") == true)
        #expect(!folder.isGone)
    }

    @Test func `it knows when it was removed`() throws {
        let folder = LogFolder(path, owner: nil, group: nil)
        #expect(folder.warning == nil)
        #expect(!folder.isGone)
        try SystemCall.removeDirectory(path)
        #expect(folder.isGone)
    }
}
