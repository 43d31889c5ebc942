import Foundation
import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct FileTests {
    @Test func aFIFOKeepsWhatWasWrittenWithoutAReader() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/camera.fifo"
        try FIFO.create(path)
        #expect(try SystemCall.status(of: path).mode == 0o600)
        let reader = try FIFO.openBothEnds(path)
        let writer = try SystemCall.open(path, .readWrite)
        #expect(try FIFO.unreadBytes(reader.rawValue) == 0)
        _ = try SystemCall.write(writer.rawValue, Array("line\n".utf8))
        try FIFO.create(path)
        #expect(try FIFO.unreadBytes(reader.rawValue) == 5)
        #expect(try FIFO.capacity(reader.rawValue) == 65536)
        #expect(try FIFO.setCapacity(reader.rawValue, 100_000) == 131072)
        #expect(try FIFO.capacity(writer.rawValue) == 131072)
    }

    @Test func aFIFOIsFullWhenNoPageIsFree() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/camera.fifo"
        try FIFO.create(path)
        let ends = try FIFO.openBothEnds(path)
        #expect(try !FIFO.isFull(ends.rawValue))
        // Two of these do not fit one page.
        while case .done = try SystemCall.write(ends.rawValue, [UInt8](repeating: 0x78, count: 2200)) {}
        #expect(try FIFO.isFull(ends.rawValue))
        #expect(try FIFO.unreadBytes(ends.rawValue) < FIFO.capacity(ends.rawValue) * 3 / 4)
    }

    @Test func aFileOfAnotherKindIsNotTakenForAFIFO() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/camera.fifo"
        _ = try SystemCall.open(path, [.create, .writeOnly])
        let error = #expect(throws: SystemError.self) { try FIFO.create(path) }
        #expect(error?.alreadyExists == true)
    }

    @Test func onlyOneHoldsTheLockOfADirectory() throws {
        let directory = try TemporaryDirectory()
        var first: DirectoryLock? = try DirectoryLock(directory.path)
        let error = #expect(throws: SystemError.self) {
            try DirectoryLock(directory.path, waitingForOrphans: .zero)
        }
        #expect(error?.isLockedByAnother == true)
        #expect(DirectoryLock.holder(of: directory.path) == "\(getpid())")
        withExtendedLifetime(first) {}
        first = nil
        _ = try DirectoryLock(directory.path)
    }

    @Test func theLockOfADeadHolderIsWaitedForUntilItsChildrenLetGo() throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/\(DirectoryLock.fileName)"
        // As in a child that was cloned a moment before, and whose parent is gone.
        let copy = SharedDescriptor(try SystemCall.open(path, [.readWrite, .create]))
        let number = try #require(copy.rawValue)
        let pidThatNobodyHas = "4194305\n"
        _ = try SystemCall.write(number, Array(pidThatNobodyHas.utf8))
        #expect(flock(number, LOCK_EX | LOCK_NB) == 0)
        #expect(throws: SystemError.self) { try DirectoryLock(directory.path, waitingForOrphans: .zero) }
        let pipe = try SystemCall.makePipe()
        let silent = pipe.readEnd.rawValue
        let letsGo = Thread {
            _ = try? SystemCall.wait(for: silent, .readable, timeout: .milliseconds(50))
            flock(number, LOCK_UN)
        }
        letsGo.start()
        _ = try DirectoryLock(directory.path)
        #expect(SystemCall.isOpen(pipe.writeEnd.rawValue))
        withExtendedLifetime(copy) {}
    }

    @Test func aSmallFileIsReadUpToTheLimit() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/file"
        let file = try SystemCall.open(path, [.create, .writeOnly])
        _ = try SystemCall.write(file.rawValue, [UInt8](repeating: 7, count: 10000))
        #expect(try SystemCall.readFile(path, limit: 5000).count == 5000)
        #expect(try SystemCall.readFile(path, limit: 50000).count == 10000)
        #expect(try SystemCall.names(inDirectory: directory.path) == ["file"])
    }

    @Test func linksAndTheCurrentFolderAreRead() throws {
        #expect(try SystemCall.linkTarget("/proc/self/cwd") == SystemCall.currentDirectory())
        let error = #expect(throws: SystemError.self) { try SystemCall.linkTarget("/proc/self/stat") }
        #expect(error?.description == "readlink /proc/self/stat: Invalid argument")
    }

    @Test func accountsAreFoundByName() throws {
        #expect(try AccountDatabase.user(named: "root")?.uid == 0)
        #expect(try AccountDatabase.user(named: "no-such-user") == nil)
        #expect(try AccountDatabase.group(named: "root")?.gid == 0)
        #expect(try AccountDatabase.group(named: "no-such-group") == nil)
        #expect(AccountDatabase.groups(ofUser: "root", primary: 0).contains(0))
    }
}
