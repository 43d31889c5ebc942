import ControlProtocol
import DownloadProtocol
import LinuxSystem
import TestSupport
import Testing
import UplinkProtocol

@testable import UplinkRuntime

/// An executor's end of the socket on which it asks for downloads.
final class DownloadPeer {
    private let loop: EventLoop
    private let stream: UnixStream
    private var registration: EventLoop.Registration?
    private(set) var reports: [DownloadReport] = []
    private(set) var isClosed = false
    var reads = true {
        didSet { if reads { receive() } }
    }

    /// Hands an uplink the other end.
    init(_ fixture: UplinkFixture) throws {
        loop = fixture.loop
        let (ours, theirs) = try UnixStream.makePacketPair()
        stream = ours
        registration = try loop.register(ours.rawValue, .readable) { [weak self] _ in
            if self?.reads ?? false { self?.receive() }
        }
        try fixture.send(.downloads, descriptor: theirs.rawValue)
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    func send(_ bytes: [UInt8], descriptor: Int32? = nil) throws {
        while true {
            do throws(SystemError) {
                if case .done = try stream.send(bytes, descriptors: descriptor.map { [$0] } ?? []) { return }
            } catch {
                // It was cut off.
                return
            }
            try loop.runOnce(timeout: .milliseconds(20))
        }
    }

    func fetch(_ id: Int, _ order: DownloadOrder, to descriptor: Int32?) throws {
        try send(DownloadRequest.fetch(id: id, order).json.serialised(), descriptor: descriptor)
    }

    func fetch(_ id: Int, _ order: DownloadOrder, to path: String, _ mode: OpenMode = [.writeOnly, .create]) throws {
        let file = try SystemCall.open(path, mode)
        try fetch(id, order, to: file.rawValue)
    }

    func stop(_ id: Int) throws { try send(DownloadRequest.stop(id: id).json.serialised()) }

    /// How a download has ended; `nil` when it has not.
    func end(of id: Int) -> DownloadFailure?? {
        for case .ended(id, let failure) in reports { return .some(failure) }
        return nil
    }

    /// Waits for the end of a download, and says what has come of it.
    func outcome(of id: Int, within bound: Duration = .seconds(30)) throws -> String {
        try loop.pump("download \(id) ends", within: bound) { end(of: id) != nil }
        guard let end = end(of: id) else { return "nothing" }
        return end.map { $0.code.rawValue } ?? "done"
    }

    func progress(of id: Int) -> [Int] {
        reports.compactMap { if case .progress(id, let bytes) = $0 { bytes } else { nil } }
    }

    func retries(of id: Int) -> [String] {
        reports.compactMap { if case .retrying(id, let message) = $0 { message } else { nil } }
    }

    private func receive() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { buffer in
            while case .done(let message)? = try? stream.receive(into: buffer) {
                guard message.count > 0 else {
                    isClosed = true
                    if let registration { loop.unregister(registration) }
                    registration = nil
                    return
                }
                guard let json = try? JSONValue.parse(Array(buffer[..<message.count])),
                    let report = try? DownloadReport(json: json)
                else {
                    Issue.record("a report cannot be read")
                    continue
                }
                reports.append(report)
            }
        }
    }
}
