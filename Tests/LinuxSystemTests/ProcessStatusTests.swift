import Glibc
import Testing

@testable import LinuxSystem

struct ProcessStatusTests {
    @Test func readsThisProcess() throws {
        let status = try #require(ProcessStatus(of: getpid()))
        #expect(status.pid == getpid())
        #expect(status.parent == getppid())
        #expect(status.group == getpgrp())
        #expect(status.session == getsid(0))
        #expect(status.startTime > 0)
        #expect(!status.isZombie)
        #expect(ProcessStatus(of: Int32.max) == nil)
    }

    @Test(arguments: ["plain", "two words", "a) R 1 2 3", "(((", ")))", "", "new\nline"])
    func aNameCannotForgeTheOtherFields(name: String) throws {
        // Each field is its own number in the manual.
        let numbers = (4...52).map { String($0) }.joined(separator: " ")
        let status = try #require(ProcessStatus(parsing: Array("42 (\(name)) Z \(numbers)\n".utf8)))
        #expect(status.pid == 42)
        #expect(status.state == "Z")
        #expect(status.parent == 4)
        #expect(status.group == 5)
        #expect(status.session == 6)
        #expect(status.threadCount == 20)
        #expect(status.startTime == 22)
        #expect(status.exitCode == 52)
        #expect(status.hasExecuted, "the ninth is 9: 0x40 is not set")
    }

    @Test(arguments: ["", "42", "42 (x", "42 (x)", "42 (x) R 1 2", ") ( ", "x (y) R 1"])
    func whatIsCutOffIsNoStatus(text: String) {
        #expect(ProcessStatus(parsing: Array(text.utf8)) == nil)
    }
}
