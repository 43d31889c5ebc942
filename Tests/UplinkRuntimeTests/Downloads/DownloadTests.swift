import ControlProtocol
import DownloadProtocol
import FleetAPI
import LinuxSystem
import TestSupport
import Testing
import UplinkProtocol

@testable import UplinkRuntime

/// Downloads from a central over TLS, into files.
@Suite("Downloads", .timeLimit(.minutes(3)), .serialized)
struct DownloadTests {
    private let fixture: UplinkFixture
    private let central: CentralProcess
    private let folder: String

    init() throws {
        fixture = try UplinkFixture()
        folder = fixture.directory.path
        central = try CentralProcess(loop: fixture.loop, folder: "\(folder)/central")
        try fixture.start()
    }

    private func order(
        _ sha256: String, _ length: Int, offset: Int = 0, minimumSpeed: Int = 100, within: Duration = .seconds(60)
    ) -> DownloadOrder {
        DownloadOrder(
            .content(sha256: sha256, length: length), offset: offset, minimumSpeed: minimumSpeed, within: within)
    }

    /// Whether a file has the bytes that central has.
    private func isSame(_ file: String, _ name: String) throws -> Bool {
        let limit = 512 << 20
        return try SystemCall.readFile("\(folder)/\(file)", limit: limit)
            == SystemCall.readFile("\(folder)/central/\(name)", limit: limit)
    }

    @Test("content arrives, whatever its requests end with, and only what is missing is asked for again")
    func faults() throws {
        try fixture.connect(central)
        let peer = try DownloadPeer(fixture)
        let size = 3_000_000
        let sha256 = try central.store("model", size)
        let cases: [(faults: [String], ranges: Int)] = [
            ([], 0), (["cut", "cut", "500", "drop"], 4), (["503", "429"], 0), (["cut", "no-ranges"], 1),
            (["cut", "416"], 1),
        ]
        for (id, expected) in cases.enumerated() {
            let asked = central.asked.count
            try central.fault("model", expected.faults)
            try peer.fetch(id, order(sha256, size), to: "\(folder)/file")
            #expect(try peer.outcome(of: id) == "done", "\(expected.faults): \(peer.reports.last as Any)")
            #expect(try isSame("file", "model"), "\(expected.faults)")
            let tries = expected.faults.count { $0 != "no-ranges" } + 1
            #expect(central.asked.count - asked == tries, "\(expected.faults)")
            #expect(central.asked[asked...].count { $0.range != nil } == expected.ranges, "\(expected.faults)")
            // Libcurl itself asks again where a connection that was used before is closed without an answer.
            #expect(peer.retries(of: id).count == tries - 1 - expected.faults.count { $0 == "drop" })
            try SystemCall.removeFile("\(folder)/file")
        }
        #expect(central.complaints == [])
    }

    @Test(
        "an answer that is not what was asked for ends it, and nothing beyond its length is written",
        arguments: [
            ("404", "not-found"), ("400", "wrong"), ("403", "unavailable"), ("redirect", "wrong"), ("long", "wrong"),
            ("short", "wrong"), ("unsaid", "wrong"), ("coded", "wrong"), ("other-range", "wrong"),
        ])
    func refusals(fault: String, code: String) throws {
        try fixture.connect(central)
        let peer = try DownloadPeer(fixture)
        let sha256 = try central.store("model", 200_000)
        let file = try fixture.directory.write("file", [UInt8](repeating: 7, count: 500))
        try central.fault("model", [fault])
        let begun = fault == "other-range" ? 100 : 0
        try peer.fetch(1, order(sha256, 200_000, offset: begun), to: file)
        #expect(try peer.outcome(of: 1) == code)
        #expect(try SystemCall.status(of: file).size <= 200_000)
        #expect(peer.retries(of: 1) == [])
        // It has done no harm to the next one.
        try peer.fetch(2, order(sha256, 200_000), to: file)
        #expect(try peer.outcome(of: 2) == "done")
        #expect(try isSame("file", "model"))
    }

    @Test("what central never had is not there")
    func unknown() throws {
        try fixture.connect(central)
        let peer = try DownloadPeer(fixture)
        try peer.fetch(1, order(String(repeating: "ab", count: 32), 10), to: "\(folder)/file")
        #expect(try peer.outcome(of: 1) == "not-found")
    }

    @Test("a link that dies again and again, or central away for a while, only delays it")
    func badLinks() throws {
        try fixture.connect(central)
        let peer = try DownloadPeer(fixture)
        let sha256 = try central.store("model", 400_000)
        try central.order(["link": ["bytes_per_s": 400_000, "dies_every_s": 0.5]])
        try peer.fetch(1, order(sha256, 400_000), to: "\(folder)/file")
        #expect(try peer.outcome(of: 1, within: .seconds(60)) == "done")
        #expect(try isSame("file", "model"))
        #expect(!peer.retries(of: 1).isEmpty)
        let offsets = central.asked.compactMap { $0.range.flatMap { Int($0.dropFirst(6).dropLast()) } }
        #expect(offsets == offsets.sorted(), "it goes on where it was")
        #expect(offsets.last ?? 0 > 0)
    }

    @Test("one that is too slow is tried again, and ends when its time is over")
    func slow() throws {
        try fixture.connect(central)
        let peer = try DownloadPeer(fixture)
        let sha256 = try central.store("model", 100_000)
        try central.fault("model", ["slow"])
        try peer.fetch(1, order(sha256, 100_000, minimumSpeed: 10_000), to: "\(folder)/file")
        #expect(try peer.outcome(of: 1) == "done")
        #expect(peer.retries(of: 1).count == 1, "\(peer.retries(of: 1))")
        try central.fault("model", ["slow"])
        try peer.fetch(2, order(sha256, 100_000, minimumSpeed: 1, within: .milliseconds(500)), to: "\(folder)/file")
        #expect(try peer.outcome(of: 2) == "too-late")
        // While central answers nothing but errors, too.
        try central.fault("model", [String](repeating: "500", count: 1000))
        try peer.fetch(3, order(sha256, 100_000, within: .milliseconds(500)), to: "\(folder)/file")
        #expect(try peer.outcome(of: 3) == "too-late")
        #expect(!peer.retries(of: 3).isEmpty)
    }

    @Test("the next uplink goes on where the one before was killed")
    func killed() throws {
        try fixture.connect(central)
        let size = 20_000_000
        let sha256 = try central.store("model", size)
        try central.order(["link": ["bytes_per_s": 30_000_000]])
        let path = "\(folder)/file"
        var peer = try DownloadPeer(fixture)
        try peer.fetch(1, order(sha256, size), to: path)
        for _ in 0..<4 {
            let before = Int((try? SystemCall.status(of: path).size) ?? 0)
            try fixture.loop.pump("more of it comes", within: .seconds(30)) {
                (try? SystemCall.status(of: path).size) ?? 0 > before + 100_000
            }
            fixture.kill()
            try fixture.loop.pump("the executor hears of it") { peer.isClosed }
            let present = Int(try SystemCall.status(of: path).size)
            #expect(present < size)
            try fixture.start()
            peer = try DownloadPeer(fixture)
            try peer.fetch(1, order(sha256, size, offset: present), to: path)
        }
        #expect(try peer.outcome(of: 1, within: .seconds(60)) == "done")
        #expect(try isSame("file", "model"))
        #expect(central.asked.count == 5)
        #expect(central.asked.dropFirst().allSatisfy { $0.range != nil })
    }

    @Test("what is there already is not fetched, and what is behind its end goes")
    func complete() throws {
        try fixture.connect(central)
        let peer = try DownloadPeer(fixture)
        let sha256 = try central.store("model", 5000)
        var bytes = try SystemCall.readFile("\(folder)/central/model", limit: 5000)
        bytes += [1, 2, 3]
        let file = try fixture.directory.write("file", bytes)
        try peer.fetch(1, order(sha256, 5000, offset: 5000), to: file)
        #expect(try peer.outcome(of: 1) == "done")
        #expect(central.asked.isEmpty)
        #expect(try isSame("file", "model"))
        // A file that was made as long as it will be, to reserve its room.
        try peer.fetch(2, order(sha256, 5000, offset: 2000), to: file)
        #expect(try peer.outcome(of: 2) == "done")
        #expect(central.asked.map { $0.range } == ["bytes=2000-"])
        #expect(try isSame("file", "model"))
        let nothing = try central.store("nothing", 0)
        try peer.fetch(3, order(nothing, 0), to: file)
        #expect(try peer.outcome(of: 3) == "done")
        #expect(try SystemCall.status(of: file).size == 0)
    }

    #if DEBUG
        @Test("a full or broken disk ends it", arguments: [("pwrite", 28), ("pwrite", 5), ("ftruncate", 5)])
        func storage(call: String, errno: Int) throws {
            try fixture.connect(central)
            let peer = try DownloadPeer(fixture)
            let sha256 = try central.store("model", 300_000)
            // Longer than it is to be, so that it is cut.
            let file = try fixture.directory.write("file", [UInt8](repeating: 7, count: 300_100))
            try FaultInjection.during(call, errno: Int32(errno)) {
                try peer.fetch(1, order(sha256, 300_000), to: file)
                #expect(try peer.outcome(of: 1) == "storage")
            }
            try peer.fetch(2, order(sha256, 300_000), to: file)
            #expect(try peer.outcome(of: 2) == "done")
            #expect(try isSame("file", "model"))
        }
    #endif

    @Test("metadata is asked for by the device's key, and is as long as it may be at most")
    func metadata() throws {
        try fixture.connect(central)
        let peer = try DownloadPeer(fixture)
        try central.order(["metadata": ["targets.json": "{\"signed\": {}}"]])
        let file = try fixture.directory.write("file", [UInt8](repeating: 7, count: 100))
        func fetch(_ id: Int, _ name: String, _ longest: Int) throws -> String {
            try peer.fetch(
                id, DownloadOrder(.metadata(name: name, longest: longest), minimumSpeed: 1, within: .seconds(20)),
                to: file)
            return try peer.outcome(of: id)
        }
        try central.fault("/device/metadata/targets.json", ["500", "drop", "replayed"])
        #expect(try fetch(1, "targets.json", 100) == "done")
        // Libcurl itself asks again after "drop".
        #expect(peer.retries(of: 1).count == 2, "\(peer.retries(of: 1))")
        #expect(try SystemCall.readFile(file, limit: 1000) == Array("{\"signed\": {}}".utf8))
        #expect(try fetch(2, "targets.json", 13) == "wrong")
        try central.fault("/device/metadata/targets.json", ["unsaid"])
        #expect(try fetch(3, "targets.json", 1000) == "wrong")
        #expect(try SystemCall.status(of: file).size <= 1000)
        #expect(try fetch(4, "other.json", 100) == "not-found")
        let strange = ["", "..", ".hidden", "a/b", "a b", "ä.json", String(repeating: "x", count: 200)]
        for (index, name) in strange.enumerated() {
            #expect(try fetch(10 + index, name, 100) == "unavailable", "\(name)")
        }
        #expect(central.complaints == [])
        try central.order(["skew": 40_000_000])
        #expect(try fetch(30, "targets.json", 100) == "done", "central's clock is learnt")
    }

    @Test("without an enrolment nothing is fetched; what is asked for before the link begins waits for it")
    func enrolment() throws {
        let peer = try DownloadPeer(fixture)
        let sha256 = try central.store("model", 1000)
        try peer.fetch(1, order(sha256, 1000), to: "\(folder)/file")
        #expect(try peer.outcome(of: 1) == "unavailable")
        try fixture.connect(central)
        try peer.fetch(2, order(sha256, 1000), to: "\(folder)/file")
        #expect(try peer.outcome(of: 2) == "done")
        // Offline is no reason not to try.
        try central.fault("/device/heartbeat", [String](repeating: "drop", count: 1000))
        try central.fault("/device/commands", [String](repeating: "drop", count: 1000))
        try fixture.start()
        let early = try DownloadPeer(fixture)
        try early.fetch(1, order(sha256, 1000), to: "\(folder)/file")
        #expect(try early.outcome(of: 1) == "done")
    }

    @Test("another central in the middle of it: it goes on there")
    func otherCentral() throws {
        try fixture.connect(central)
        let peer = try DownloadPeer(fixture)
        let sha256 = try central.store("model", 2_000_000)
        try central.order(["link": ["bytes_per_s": 500_000]])
        try peer.fetch(1, order(sha256, 2_000_000), to: "\(folder)/file")
        try fixture.loop.pump("some of it has come") {
            (try? SystemCall.status(of: "\(folder)/file").size) ?? 0 > 50_000
        }
        try central.order(["link": [:]])
        var settings = fixture.settings
        settings.central = "https://127.0.0.1:\(central.port)"
        try fixture.send(.configure(settings))
        #expect(try peer.outcome(of: 1) == "done")
        #expect(try isSame("file", "model"))
        #expect(peer.retries(of: 1).count == 1)
    }

    @Test("what an executor asks wrongly is refused, and what is no file is not written")
    func wrongOrders() throws {
        try fixture.connect(central)
        let peer = try DownloadPeer(fixture)
        let sha256 = try central.store("model", 1000)
        let good = order(sha256, 1000)
        let path = try fixture.directory.write("file", "")
        var orders: [(DownloadOrder, String)] = [
            (order("xyz", 10), "unavailable"), (order(String(repeating: "/", count: 64), 10), "unavailable"),
            (order(sha256, -1), "unavailable"), (order(sha256, 10, offset: 11), "unavailable"),
            (order(sha256, 10, offset: -1), "unavailable"), (order(sha256, 1000, within: .seconds(-5)), "too-late"),
        ]
        orders.append((order(sha256.uppercased(), 1000, minimumSpeed: .min), "done"))
        for (id, (order, code)) in orders.enumerated() {
            try peer.fetch(id, order, to: path)
            #expect(try peer.outcome(of: id) == code, "\(order)")
        }
        try peer.fetch(100, good, to: Int32?.none)
        try peer.fetch(101, good, to: path, .readOnly)
        try peer.fetch(102, good, to: path, [.writeOnly, .append])
        try peer.fetch(103, good, to: path, .path)
        try peer.fetch(104, good, to: folder, [.readOnly, .directory])
        let pipe = try SystemCall.makePipe()
        try peer.fetch(105, good, to: pipe.writeEnd.rawValue)
        for id in 100...105 { #expect(try peer.outcome(of: id) == "storage", "\(id)") }
        // More than it says are in the file.
        try fixture.directory.write("file", "")
        try peer.fetch(110, order(sha256, 1000, offset: 500), to: path)
        #expect(try peer.outcome(of: 110) == "done")
        #expect(try isSame("file", "model"))
    }

    @Test("an executor that speaks nonsense, or does not listen, is not served any more; the others are")
    func nonsense() throws {
        try fixture.connect(central)
        let good = try DownloadPeer(fixture)
        let sha256 = try central.store("model", 1000)
        for packet in ["", "{", "[]", "{\"type\": \"fetch\", \"id\": 1}", "{\"type\": \"dance\"}"] {
            let peer = try DownloadPeer(fixture)
            try peer.send(packet.isEmpty ? [UInt8](repeating: 0, count: 100_000) : Array(packet.utf8))
            try fixture.loop.pump("it is cut off after \(packet)") { peer.isClosed }
        }
        let twice = try DownloadPeer(fixture)
        try central.fault("model", ["slow", "slow"])
        for _ in 0..<2 { try twice.fetch(1, order(sha256, 1000), to: "\(folder)/other") }
        try fixture.loop.pump("it is cut off") { twice.isClosed }
        let deaf = try DownloadPeer(fixture)
        deaf.reads = false
        for id in 0..<2000 {
            try deaf.fetch(id, order("", 0), to: Int32?.none)
            try fixture.loop.runOnce(timeout: .zero)
        }
        deaf.reads = true
        try fixture.loop.pump("it is cut off") { deaf.isClosed }
        try central.fault("model", [])
        try good.fetch(1, order(sha256, 1000), to: "\(folder)/file")
        #expect(try good.outcome(of: 1) == "done")
    }

    @Test("ten thousand orders are a few at a time, and every one ends")
    func flood() throws {
        try fixture.connect(central)
        let peer = try DownloadPeer(fixture)
        let sha256 = try central.store("model", 1000)
        let open = try SystemCall.names(inDirectory: "/proc/self/fd").count
        let path = try fixture.directory.write("file", "")
        let file = try SystemCall.open(path, .writeOnly)
        for id in 0..<10_000 {
            try peer.fetch(id, order(sha256, 1000), to: file.rawValue)
            try fixture.loop.runOnce(timeout: .zero)
        }
        try fixture.loop.pump("all have ended", within: .seconds(60)) {
            peer.reports.count { if case .ended = $0 { true } else { false } } >= 10_000
        }
        #expect(!peer.isClosed)
        for report in peer.reports {
            if case .ended(_, let failure?) = report { #expect(failure.code == .unavailable) }
        }
        #expect(try SystemCall.names(inDirectory: "/proc/self/fd").count < open + 20)
        #expect(fixture.state() == .connected)
    }

    @Test("four at a time; stopped ones, and those of an executor that is gone, make room")
    func turns() throws {
        try fixture.connect(central)
        let sha256 = try central.store("model", 1000)
        try central.fault("model", [String](repeating: "slow", count: 6))
        let gone = try DownloadPeer(fixture)
        var peer: DownloadPeer? = try DownloadPeer(fixture)
        for id in 0..<3 { try gone.fetch(id, order(sha256, 1000, minimumSpeed: 1), to: "\(folder)/gone\(id)") }
        for id in 0..<3 { try peer?.fetch(id, order(sha256, 1000, minimumSpeed: 1), to: "\(folder)/peer\(id)") }
        try fixture.loop.pump("four are under way") { central.asked.count == 4 }
        // A round trip through the uplink, which had the time to begin others.
        #expect(fixture.state() == .connected)
        #expect(central.asked.count == 4)
        try gone.stop(0)
        try gone.stop(99)
        try fixture.loop.pump("another is under way") { central.asked.count == 5 }
        peer = nil
        try gone.fetch(7, order(sha256, 1000), to: "\(folder)/file")
        try fixture.loop.pump("another is under way") { central.asked.count == 6 }
        try gone.stop(1)
        try gone.stop(2)
        #expect(try gone.outcome(of: 7) != "nothing")
        for id in 0..<3 { #expect(gone.end(of: id) == nil, "nobody hears of what was stopped") }
    }

    @Test("one turn of the loop takes no more than it may, however much is there")
    func turnSize() throws {
        try fixture.connect(central)
        let size = 60 << 20
        let sha256 = try central.store("model", size)
        let peer = try DownloadPeer(fixture)
        try peer.fetch(1, order(sha256, size), to: "\(folder)/file")
        var (last, most) = (0, 0)
        try fixture.loop.pump("it ends", within: .seconds(60)) {
            let now = Int(try SystemCall.status(of: "\(folder)/file").size)
            (most, last) = (max(most, now - last), now)
            return peer.end(of: 1) != nil
        }
        #expect(try peer.outcome(of: 1) == "done")
        // What was held back comes besides.
        #expect((16 << 10...160 << 10).contains(most), "\(most)")
    }

    @Test("telemetry and commands have their turn beside a download, and memory stays where it was")
    func beside() throws {
        try fixture.connect(central)
        let size = 150 << 20
        let sha256 = try central.store("model", size)
        let peer = try DownloadPeer(fixture)
        for id in 0..<3 { try peer.fetch(id, order(sha256, size), to: "\(folder)/file\(id)") }
        try fixture.loop.pump("it is under way") { !peer.progress(of: 0).isEmpty }
        let before = try memory()
        fixture.measure(0..<500)
        var delivered = false
        var most = 0
        try fixture.loop.pump("all has arrived", within: .seconds(90)) {
            most = max(most, try memory())
            if !delivered, try fixture.status().queues.first(where: { $0.name == "readings" })?.acknowledged == 500 {
                delivered = true
                #expect((0..<3).contains { peer.end(of: $0) == nil }, "telemetry waits for no download")
            }
            return (0..<3).allSatisfy { peer.end(of: $0) != nil }
        }
        #expect(delivered)
        for id in 0..<3 { #expect(try peer.outcome(of: id) == "done") }
        #expect(try isSame("file2", "model"))
        #expect(most < before + (8 << 20), "\(before) to \(most)")
        let progress = peer.progress(of: 0)
        #expect(progress == progress.sorted() && progress.count < 200)
    }

    /// Resident, in bytes.
    private func memory() throws -> Int {
        let text = String(decoding: try SystemCall.readFile("/proc/self/statm", limit: 100), as: UTF8.self)
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }
}
