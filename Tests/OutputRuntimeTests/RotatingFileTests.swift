import Glibc
import LinuxSystem
import MonotonicTime
import SeededRandom
import TestSupport
import Testing

@testable import OutputRuntime

@Suite(.timeLimit(.minutes(1))) struct RotatingFileTests {
    private static func records(_ texts: [String]) -> (bytes: [UInt8], ends: [Int]) {
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for text in texts {
            bytes += Array(text.utf8) + [10]
            ends.append(bytes.count)
        }
        return (bytes, ends)
    }

    private static func append(_ texts: [String], to file: RotatingFile, at now: MonotonicInstant = .zero) -> Int {
        let (bytes, ends) = records(texts)
        return file.append(bytes, endingAt: ends, at: now)
    }

    private static func size(_ path: String) -> Int {
        (try? SystemCall.status(of: path)).map { Int($0.size) } ?? 0
    }

    private static func text(_ path: String) -> String? {
        (try? SystemCall.readFile(path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func rotatesBeforeTheCapIsPassedAndKeepsSoMany() throws {
        let directory = try TemporaryDirectory()
        let file = RotatingFile("w.log", in: LogDirectory(directory.path), maximumBytes: 10, rotated: 2)
        for number in 1...9 { #expect(Self.append(["line\(number)"], to: file) == 1) }
        // Six bytes each: one per file.
        #expect(Self.text(directory.path + "/w.log") == "line9\n")
        #expect(Self.text(directory.path + "/w.log.1") == "line8\n")
        #expect(Self.text(directory.path + "/w.log.2") == "line7\n")
        #expect(try SystemCall.names(inDirectory: directory.path).count == 3)
    }

    @Test func aBatchLargerThanAFileIsSplitBetweenRecords() throws {
        let directory = try TemporaryDirectory()
        let file = RotatingFile("w.log", in: LogDirectory(directory.path), maximumBytes: 12, rotated: 9)
        #expect(Self.append((1...7).map { "line\($0)" }, to: file) == 7)
        #expect(Self.text(directory.path + "/w.log") == "line7\n")
        #expect(Self.text(directory.path + "/w.log.1") == "line5\nline6\n")
        #expect(Self.text(directory.path + "/w.log.3") == "line1\nline2\n")
    }

    @Test func keepsTheTotalUnderTheCapWhateverComes() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        let directory = try TemporaryDirectory()
        let file = RotatingFile("w.log", in: LogDirectory(directory.path), maximumBytes: 1000, rotated: 3)
        for _ in 0..<300 {
            let texts = (0..<Int.random(in: 1...30, using: &random)).map { _ in
                String(repeating: "x", count: Int.random(in: 0...200, using: &random))
            }
            #expect(Self.append(texts, to: file) == texts.count)
            let sizes = try SystemCall.names(inDirectory: directory.path).map { Self.size(directory.path + "/" + $0) }
            #expect(sizes.count <= 4 && sizes.allSatisfy { $0 <= 1000 }, "seed \(seed)")
        }
    }

    @Test func withNoRotatedFilesItBeginsAnew() throws {
        let directory = try TemporaryDirectory()
        let file = RotatingFile("w.log", in: LogDirectory(directory.path), maximumBytes: 10, rotated: 0)
        #expect(Self.append(["line1", "line2"], to: file) == 2)
        #expect(Self.text(directory.path + "/w.log") == "line2\n")
        #expect(try SystemCall.names(inDirectory: directory.path) == ["w.log"])
    }

    @Test func aRecordLongerThanTheCapHasAFileToItself() throws {
        let directory = try TemporaryDirectory()
        let file = RotatingFile("w.log", in: LogDirectory(directory.path), maximumBytes: 8, rotated: 2)
        #expect(Self.append(["a", "much longer than that", "b"], to: file) == 3)
        #expect(Self.text(directory.path + "/w.log.1") == "much longer than that\n")
    }

    @Test func fewerRotatedFilesRemoveTheSurplus() throws {
        let directory = try TemporaryDirectory()
        let file = RotatingFile("w.log", in: LogDirectory(directory.path), maximumBytes: 6, rotated: 5)
        for number in 1...8 { _ = Self.append(["line\(number)"], to: file) }
        file.adjust(maximumBytes: 6, rotated: 1)
        #expect(Self.append(["line9"], to: file) == 1)
        #expect(try SystemCall.names(inDirectory: directory.path).sorted() == ["w.log", "w.log.1"])
    }

    @Test func continuesAFileThatIsThereAndCountsIt() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/w.log"
        for text in ["12345678", "abcdef"] {
            let file = RotatingFile("w.log", in: LogDirectory(directory.path), maximumBytes: 12, rotated: 1)
            #expect(Self.append([text], to: file) == 1)
        }
        #expect(Self.text(path) == "abcdef\n")
        #expect(Self.text(path + ".1") == "12345678\n")
    }

    @Test func aFileMovedAwayIsMadeAgain() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/w.log"
        let file = RotatingFile("w.log", in: LogDirectory(directory.path), maximumBytes: 100, rotated: 1)
        #expect(Self.append(["one"], to: file) == 1)
        try SystemCall.rename(path, to: directory.path + "/elsewhere")
        #expect(Self.append(["two"], to: file, at: .zero.advanced(by: .seconds(2))) == 1)
        #expect(Self.text(path) == "two\n")
    }

    @Test func aSymbolicLinkIsNotFollowed() throws {
        let directory = try TemporaryDirectory()
        #expect(symlink(directory.path + "/target", directory.path + "/w.log") == 0)
        let file = RotatingFile("w.log", in: LogDirectory(directory.path), maximumBytes: 100, rotated: 1)
        #expect(Self.append(["one"], to: file) == 0)
        #expect(file.failure != nil)
        #expect(Self.text(directory.path + "/target") == nil)
    }

    @Test(arguments: [EIO, ENOSPC, EDQUOT, EROFS])
    func aFailedWriteIsTriedAgainAfterAPauseOnly(_ code: Int32) throws {
        let directory = try TemporaryDirectory()
        let file = RotatingFile("w.log", in: LogDirectory(directory.path), maximumBytes: 100, rotated: 1)
        let written = FaultInjection.during("write", errno: code, .times(1)) { Self.append(["one"], to: file) }
        #expect(written == 0)
        #expect(file.failure?.errno == code)
        let atOnce = Self.append(["two"], to: file, at: .zero.advanced(by: .milliseconds(999)))
        #expect(atOnce == 0, "no second try within the pause")
        #expect(Self.append(["three"], to: file, at: .zero.advanced(by: .seconds(1))) == 1)
        #expect(Self.text(directory.path + "/w.log") == "three\n")
        #expect(file.failure == nil)
    }

    @Test func aDirectoryThatIsGoneLosesLinesAndComesBack() throws {
        let directory = try TemporaryDirectory()
        let file = RotatingFile("w.log", in: LogDirectory(directory.path + "/deep/log"), maximumBytes: 100, rotated: 1)
        #expect(Self.append(["one"], to: file) == 0)
        for folder in ["/deep", "/deep/log"] { try SystemCall.makeDirectory(directory.path + folder) }
        #expect(Self.append(["two"], to: file, at: .zero.advanced(by: .seconds(1))) == 1)
    }

    @Test func aHandedDirectoryIsReachedWithoutItsPath() throws {
        let directory = try TemporaryDirectory()
        try SystemCall.makeDirectory(directory.path + "/log")
        let handed = SharedDescriptor(try SystemCall.open(directory.path + "/log", [.path, .directory]))
        let log = LogDirectory("/no/such/folder", descriptor: handed)
        let file = RotatingFile("w.log", in: log, maximumBytes: 6, rotated: 1)
        for number in 1...3 {
            #expect(Self.append(["line\(number)"], to: file, at: .zero.advanced(by: .seconds(Double(number) * 2))) == 1)
        }
        #expect(Self.text(directory.path + "/log/w.log") == "line3\n")
        #expect(Self.text(directory.path + "/log/w.log.1") == "line2\n")
        #expect(!log.isGone)
        try SystemCall.removeFile(directory.path + "/log/w.log")
        try SystemCall.removeFile(directory.path + "/log/w.log.1")
        try SystemCall.removeDirectory(directory.path + "/log")
        #expect(log.isGone)
        #expect(Self.append(["line4"], to: file, at: .zero.advanced(by: .seconds(8))) == 0)
        #expect(file.failure?.subject == "/no/such/folder/w.log")
    }

    /// A real full disk: what the last write left of a record is cut off, and rotation makes room again.
    @Test(.enabled(if: geteuid() == 0, "mounting a tmpfs needs root")) func aFullDiskKeepsOnlyWholeRecords() throws {
        let directory = try TemporaryDirectory()
        guard mount("tmpfs", directory.path, "tmpfs", 0, "size=32k") == 0 else {
            withKnownIssue("this machine does not let root mount a tmpfs", isIntermittent: true) {
                Issue.record("mount: \(SystemError.text(of: errno))")
            }
            return
        }
        defer { umount2(directory.path, Int32(MNT_DETACH)) }
        let path = directory.path + "/w.log"
        let file = RotatingFile("w.log", in: LogDirectory(directory.path), maximumBytes: 1 << 20, rotated: 1)
        let texts = (0..<600).map { "line \($0) " + String(repeating: "x", count: 90) }
        let written = Self.append(texts, to: file)
        #expect(written > 100 && written < 600)
        #expect(file.failure?.isNoSpace == true)
        let lines = (Self.text(path) ?? "").split(separator: "\n").map(String.init)
        #expect(lines == Array(texts.prefix(written)))
        #expect(Self.size(path) == lines.reduce(0) { $0 + $1.utf8.count + 1 })
        // The operator makes room.
        _ = try SystemCall.open(path, [.writeOnly, .truncate])
        #expect(Self.append(["after"], to: file, at: .zero.advanced(by: .seconds(1))) == 1)
        #expect(Self.text(path) == "after\n")
    }
}
