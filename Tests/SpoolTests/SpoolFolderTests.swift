import CChecksum
import LinuxSystem
import SeededRandom
import Spool
import TestSupport
import Testing

/// On a real file system.
@Suite(.timeLimit(.minutes(1))) struct SpoolFolderTests {
    private let folder: TemporaryDirectory
    private var path: String { folder.path + "/spool" }
    private let settings = SpoolSettings(quota: 1 << 20, whenFull: .dropOldest)

    init() throws { folder = try TemporaryDirectory() }

    private func open(at now: Int64 = 1_000, _ settings: SpoolSettings? = nil) throws -> Spool {
        var random = SeededGenerator(seed: 7)
        return try Spool(SpoolFolder(path), settings ?? self.settings, at: now, using: &random)
    }

    private func numbers(_ items: [SpoolItem]) -> [UInt64] {
        items.compactMap { if case .record(let record) = $0 { record.sequence } else { nil } }
    }

    @Test func `what was synced is there in the next process, and what was acknowledged is not sent again`() throws {
        do {
            let spool = try open()
            for number in 1...10 { try spool.append(Array("record \(number)".utf8), at: 1_000) }
            try spool.sync(at: 1_000)
            try spool.acknowledge(through: 4)
            try spool.append(Array("not synced, but written".utf8), at: 1_000)
            try spool.sync(at: 1_000)
        }
        let spool = try open()
        #expect(spool.acknowledged == 4)
        let items = try spool.read(after: spool.acknowledged, maximumBytes: 1 << 20)
        #expect(numbers(items) == Array(5...11))
        guard case .record(let last)? = items.last else { return }
        #expect(String(decoding: last.bytes, as: UTF8.self) == "not synced, but written")
    }

    @Test func `two processes cannot have the same spool`() throws {
        let spool = try open()
        #expect(throws: (any Error).self) { try open() }
        #expect(spool.acknowledged == 0)
    }

    @Test func `records older than the time to live go, and are counted`() throws {
        let settings = SpoolSettings(quota: 1 << 20, whenFull: .dropOldest, timeToLive: .seconds(60))
        let spool = try open(at: 0, settings)
        for _ in 0..<5 { try spool.append(Array("old".utf8), at: 0) }
        try spool.sync(at: 0)
        try spool.expire(at: 50_000)
        #expect(spool.statistics.expired == 0)
        // The segment that grows is ended once it is too old, and goes when all of it is.
        try spool.expire(at: 70_000)
        try spool.append(Array("new".utf8), at: 70_000)
        try spool.sync(at: 70_000)
        try spool.expire(at: 140_000)
        try spool.append(Array("newer".utf8), at: 140_000)
        try spool.expire(at: 210_000)
        try spool.sync(at: 210_000)
        #expect(spool.statistics.expired == 6)
        let items = try spool.read(after: 0, maximumBytes: 1 << 20)
        #expect(items.first == .gap(1...6))
        #expect(numbers(items) == [7])
    }

    @Test func `the oldest go when the quota is reached, and the folder stays below it`() throws {
        let spool = try open(at: 0, SpoolSettings(quota: 256 * 1024, whenFull: .dropOldest))
        let record = [UInt8](repeating: 0x61, count: 1000)
        for _ in 0..<1000 {
            try spool.append(record, at: 0)
            try spool.sync(at: 0)
        }
        #expect(spool.statistics.used <= 256 * 1024)
        #expect(spool.statistics.dropped > 700)
        let items = try spool.read(after: 0, maximumBytes: 1 << 20)
        guard case .gap(let gone)? = items.first else {
            Issue.record("no gap comes first")
            return
        }
        #expect(gone.lowerBound == 1 && gone.upperBound == spool.statistics.dropped)
        #expect(numbers(items).last == 1000)
    }

    @Test func `a spool that refuses says so, keeps what it has, and takes more once something is acknowledged`() throws
    {
        let spool = try open(at: 0, SpoolSettings(quota: 256 * 1024, whenFull: .refuse))
        let record = [UInt8](repeating: 0x61, count: 1000)
        let error = #expect(throws: SpoolError.self) {
            while true {
                try spool.append(record, at: 0)
                try spool.sync(at: 0)
            }
        }
        #expect(error == .full(quota: 256 * 1024))
        let last = spool.statistics.written
        #expect(last > 200 && spool.statistics.refused == 1 && spool.statistics.dropped == 0)
        try spool.acknowledge(through: last / 2)
        try spool.append(record, at: 0)
        #expect(try numbers(spool.read(after: last / 2, maximumBytes: 1 << 20)).first == last / 2 + 1)
    }

    @Test func `an inspection sees a torn end without touching it, and opening cuts it off`() throws {
        do {
            let spool = try open()
            for _ in 0..<3 { try spool.append(Array("record".utf8), at: 1_000) }
            try spool.sync(at: 1_000)
        }
        let name = try #require(try SystemCall.names(inDirectory: path).first { $0.hasSuffix(".seg") })
        let whole = try SystemCall.readFile(path + "/" + name, limit: 1 << 20)
        let file = try SystemCall.open(path + "/" + name, [.readWrite])
        _ = try SystemCall.write(file.rawValue, Array("torn".utf8), at: Int64(whole.count))

        let torn = try SpoolInspection(SpoolFolder(reading: path))
        #expect(torn.records == 3 && torn.waiting == 3 && torn.problems.count == 1)
        #expect(torn.segments.first?.damagedBytes == 4)
        _ = try open()
        let mended = try SpoolInspection(SpoolFolder(reading: path))
        #expect(mended.problems.isEmpty && mended.records == 3)
    }

    @Test func `a segment of a newer version is left alone, and said`() throws {
        do {
            let spool = try open()
            try spool.append(Array("record".utf8), at: 1_000)
            try spool.sync(at: 1_000)
        }
        let name = try #require(try SystemCall.names(inDirectory: path).first { $0.hasSuffix(".seg") })
        var header = Array(try SystemCall.readFile(path + "/" + name, limit: 1 << 20).prefix(60))
        header[8] = 2
        let sum = header.withUnsafeBytes { hf_crc32c(0, $0.baseAddress, $0.count) }
        for shift in [0, 8, 16, 24] as [UInt32] { header.append(UInt8(truncatingIfNeeded: sum >> shift)) }
        let file = try SystemCall.open(path + "/" + name, [.readWrite])
        _ = try SystemCall.write(file.rawValue, header, at: 0)
        #expect(throws: SpoolError.unknownVersion(file: name, version: 2)) { try open() }
        #expect(try SpoolInspection(SpoolFolder(reading: path)).records == 1)
    }
}

extension SystemCall {
    fileprivate static func write(_ descriptor: Int32, _ bytes: [UInt8], at offset: Int64) throws(SystemError) -> Int {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(SystemError) in try SystemCall.write(descriptor, bytes, at: offset) }
        }
        return try result.get()
    }
}
