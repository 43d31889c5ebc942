import CChecksum
import ControlProtocol
import LinuxSystem
import SeededRandom
import TestSupport
import Testing

@testable import Supervision
@testable import SupervisorRuntime

/// The state file (docs/state-format.md), written, damaged and read.
@Suite(.timeLimit(.minutes(1))) struct StateFileTests {
    let directory: TemporaryDirectory
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = "\(directory.path)/state"
    }

    private func file(boot: String = "boot") -> StateFile { StateFile(path: path, bootID: boot) }

    /// What a file of these bytes is read as; `nil` for one that cannot be used.
    private func read(_ bytes: [UInt8]) throws -> SurvivalRecord? {
        try directory.write("state", bytes)
        guard case .found(let record) = file().read() else { return nil }
        return record
    }

    /// A file with a record and some entries after it.
    /// - Returns: its bytes, and what they say up to each line.
    private func write() throws -> (bytes: [UInt8], records: [SurvivalRecord]) {
        let file = file()
        var records = [StateSamples.record]
        try file.rewrite(StateSamples.record)
        for number in 1...3 {
            let entry = StateSamples.entry(number)
            try file.append(entry.stateText)
            var record = try #require(records.last)
            record.apply(entry)
            record.prune()
            records.append(record)
        }
        return (try SystemCall.readFile(path, limit: 1 << 20), records)
    }

    @Test func `what was recorded is read, down to the last member`() throws {
        let records = try write().records
        guard case .found(let record) = file().read() else { return #expect(Bool(false), "nothing found") }
        #expect(record == records.last)
        #expect(record.tree.workers["w3"] == nil, "it was removed")
        #expect(record.processes[InstanceID(rawValue: 9)] == nil, "its instance is gone")
    }

    @Test func `the lines are those of the format`() throws {
        let lines = String(decoding: try write().bytes, as: UTF8.self).split(separator: "\n")
        #expect(
            lines.first
                == "\(checksum(#"{"holdfast_state":1,"boot":"boot","runtime":"r-1","written_by":"\#(HoldfastVersion.current)"}"#))"
        )
        #expect(
            lines.last
                == "\(checksum(#"{"last_instance":13,"last_event":103,"removed_workers":["w3"],"workers":[{"name":"w1","launch":"abc","phase":"running","live":{"instance":13,"spawned_at":3000,"until_stable_ns":60000000000}}],"processes":[{"instance":13,"pid":503,"start":77}]}"#))"
        )
    }

    private func checksum(_ body: String) -> String {
        let digits = String(hf_crc32c(0, body, body.utf8.count), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits + " " + body
    }

    @Test func `a file cut anywhere is what it was after some entry, or of no use`() throws {
        let (bytes, records) = try write()
        let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }
        for length in Array(stride(from: 0, to: bytes.count, by: 3)) + ends.flatMap({ [$0, $0 + 1] }) {
            let whole = ends.count { $0 <= length }
            // A line's end is told by its checksum, too.
            #expect(try read(Array(bytes[..<length])) == (whole < 2 ? nil : records[whole - 2]), "cut at \(length)")
        }
    }

    @Test func `a flipped bit anywhere ends the file before its line`() throws {
        let (bytes, records) = try write()
        var chance = SeededGenerator(seed: 1)
        for position in stride(from: 0, to: bytes.count, by: 3) where bytes[position] != UInt8(ascii: "\n") {
            var flipped = bytes
            // Not the bit that makes a checksum's letter a capital one: that is the same number.
            flipped[position] ^= 1 << UInt8.random(in: 0...4, using: &chance)
            let line = bytes[..<position].count { $0 == UInt8(ascii: "\n") }
            #expect(try read(flipped) == (line < 2 ? nil : records[line - 2]), "at \(position)")
        }
    }

    @Test(arguments: [-1, 0, 1, 2, 3, Int.max])
    func `the version before and the one after are read, others are not`(_ version: Int) throws {
        let text = """
            {"holdfast_state":\(version),"boot":"boot","runtime":"r-1","newer":[1]}
            {"last_instance":4,"last_event":5,"newer":true,"workers":[{"name":"a","launch":"abc","phase":"held",\
            "pauses":["operator","newer-reason"],"newer":{"deep":[{}]}}]}
            """
        let bytes = text.split(separator: "\n").flatMap { Array("\(checksum(String($0)))\n".utf8) }
        let record = try read(bytes)
        guard (0...2).contains(version) else {
            #expect(record == nil)
            return
        }
        let worker = WorkerRecord(
            name: "a", launch: LaunchFingerprint("abc"), phase: .held, pauseReasons: [.operator])
        #expect(
            record
                == SurvivalRecord(
                    runtime: "r-1", tree: TreeRecord(lastInstance: 4, workers: ["a": worker]), lastEvent: 5))
    }

    @Test(arguments: [-1, 0, 1, 1 << 31])
    func `no process is taken for a worker's that cannot be one`(_ pid: Int) throws {
        let header = #"{"holdfast_state":1,"boot":"boot","runtime":"r-1"}"#
        let entry = #"{"last_instance":1,"last_event":1,"processes":[{"instance":1,"pid":\#(pid),"start":1}]}"#
        #expect(try read([header, entry].flatMap { Array("\(checksum($0))\n".utf8) }) == nil)
    }

    @Test func `another boot's file is none, and says nothing`() throws {
        _ = try write()
        guard case .nothing = file(boot: "another").read() else { return #expect(Bool(false)) }
        try SystemCall.removeFile(path)
        guard case .nothing = file().read() else { return #expect(Bool(false)) }
    }

    @Test func `what it is not is said`() throws {
        try SystemCall.makeDirectory(path, permissions: 0o755)
        guard case .unusable(let reason) = file().read() else { return #expect(Bool(false)) }
        #expect(reason.contains("cannot be read"))
    }

    @Test func `a file that has grown is written anew, and one that could not be written too`() throws {
        let file = file()
        #expect(file.wantsRewrite)
        try file.rewrite(StateSamples.record)
        #expect(!file.wantsRewrite)
        var entries = 0
        while !file.wantsRewrite, entries < 10_000 {
            entries += 1
            try file.append(StateSamples.entry(entries).stateText)
        }
        #expect(entries > 100 && entries < 10_000, "\(entries)")
        try file.rewrite(StateSamples.record)
        #expect(!file.wantsRewrite)
        guard case .found(StateSamples.record) = self.file().read() else { return #expect(Bool(false)) }
        #expect(try SystemCall.names(inDirectory: directory.path) == ["state"])
    }
}
