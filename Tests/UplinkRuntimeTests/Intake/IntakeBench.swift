import ControlProtocol
import LinuxSystem
import MonotonicTime
import Spool
import TestSupport
import Testing
import UplinkProtocol

@testable import UplinkRuntime

/// Workers with real sockets, and an intake with real spools in a folder of its own, which can be thrown away and made anew
/// as when the process is killed.
final class IntakeBench {
    let folder: TemporaryDirectory
    let loop: EventLoop
    private var sockets: [String: UnixDatagramSocket] = [:]
    private var limits: [String: TelemetryLimits] = [:]
    private(set) var intake: Intake?
    private(set) var events: Spool?
    private(set) var readings: Spool?
    var losses: [String] = []
    private let quota: Int
    private let whenFull: SpoolSettings.FullPolicy

    init(quota: Int = 16 << 20, whenFull: SpoolSettings.FullPolicy = .dropOldest) throws {
        folder = try TemporaryDirectory()
        loop = try EventLoop()
        self.quota = quota
        self.whenFull = whenFull
        try start()
    }

    func start() throws {
        let events = try spool("events")
        let readings = try spool("readings")
        let intake = Intake(
            loop: loop, events: QueueSpool(loop: loop, spool: events, flushInterval: .zero),
            readings: QueueSpool(loop: loop, spool: readings, flushInterval: .seconds(1)),
            bootID: "3e1a99d0-4c5b-4f00-8000-000000000000")
        intake.onLoss = { [weak self] in self?.losses.append($0) }
        (self.events, self.readings, self.intake) = (events, readings, intake)
        for name in sockets.keys.sorted() { try attach(name) }
    }

    private func spool(_ name: String) throws -> Spool {
        var random = SystemRandomNumberGenerator()
        return try Spool(
            SpoolFolder("\(folder.path)/\(name)"), SpoolSettings(quota: quota, whenFull: whenFull), at: 0,
            using: &random)
    }

    /// The process is gone, at whatever point it was; the sockets are not.
    func kill() {
        (intake, events, readings) = (nil, nil, nil)
    }

    func add(_ worker: String, rate: Int = 1_000_000) throws {
        sockets[worker] = try UnixDatagramSocket(path: path(worker))
        limits[worker] = TelemetryLimits(rate: rate)
        try attach(worker)
    }

    private func attach(_ worker: String) throws {
        guard let socket = sockets[worker], let limits = limits[worker] else { return }
        intake?.attach(SharedDescriptor(try SystemCall.duplicate(socket.rawValue)), of: worker, limits)
    }

    func path(_ worker: String) -> String { "\(folder.path)/\(worker).sock" }

    /// - Returns: whether there was room.
    @discardableResult
    func send(_ text: String, from worker: String, descriptors: [Int32] = []) throws -> Bool {
        try UnixDatagramSocket.send(Array(text.utf8), descriptors: descriptors, to: path(worker)).value != nil
    }

    /// Lets everything be taken that was sent.
    func settle() throws {
        for _ in 0..<200 { try loop.runOnce(timeout: .zero) }
    }

    /// The records of a spool so far, parsed.
    func records(_ queue: String) throws -> [JSONValue] {
        let spool = try #require(queue == "events" ? events : readings)
        try spool.sync(at: 0)
        return try spool.read(after: 0, maximumBytes: .max).compactMap { item in
            guard case .record(let record) = item else { return nil }
            return try JSONValue.parse(record.bytes)
        }
    }

    /// The values of all readings, as text.
    func values() throws -> [String] { try records("readings").map { $0["v"]?.text ?? "?" } }
}
