import ControlProtocol
import DownloadProtocol
import LinuxSystem
import MonotonicTime

/// Has the uplink fetch things into files that were opened here. The socket comes from holdfastd, again with each new uplink;
/// what was under way goes on then.
final class DownloadClient {
    enum Progress {
        /// So many bytes are there.
        case bytes(Int)
        case retrying(String)
    }

    enum Arrival {
        case inOneGo
        /// Some of it is from an earlier try, and nobody has looked at that since.
        case continued
    }

    private struct Fetch {
        var order: DownloadOrder
        let file: SharedDescriptor
        let until: MonotonicInstant
        let onProgress: (Progress) -> Void
        let onEnd: (Result<Arrival, DownloadFailure>) -> Void
        /// Some of it was there when an uplink was asked for the rest.
        var isContinued = false
    }

    private let loop: EventLoop
    private var packets: PacketChannel?
    private var fetches: [Int: Fetch] = [:]
    private var timers: [Int: TimerID] = [:]
    private var last = 0

    private static let longestQueue = 256
    private static let packetsPerTurn = 64
    /// The uplink keeps the time itself; should it hang, or not be there, it is kept here.
    private static let slack: Duration = .seconds(5)

    init(loop: EventLoop) { self.loop = loop }

    deinit {
        for timer in timers.values { loop.cancel(timer) }
    }

    /// From now on this is the way to the uplink.
    func connect(_ descriptor: SharedDescriptor?) throws(SystemError) {
        guard let socket = descriptor?.take() else { return }
        try SystemCall.setNonBlocking(socket.rawValue)
        let packets = PacketChannel(
            loop: loop, socket: UnixStream(owning: socket), longestQueue: Self.longestQueue,
            packetsPerTurn: Self.packetsPerTurn)
        packets.onPacket = { [weak self] bytes, _ in self?.take(bytes) }
        packets.onClosed = { [weak self, weak packets] in
            // The next uplink brings another one.
            guard let self, self.packets === packets else { return }
            loop.schedule(at: loop.now) { [weak self] in self?.forget(packets) }
        }
        self.packets = packets
        try packets.start()
        for id in fetches.keys.sorted() { send(id) }
    }

    private func forget(_ closed: PacketChannel?) {
        if packets === closed { packets = nil }
    }

    /// - Parameters:
    ///   - file: open for writing; what is in it up to the order's offset stays.
    ///   - onEnd: called once, later, unless it is stopped before.
    func fetch(
        _ order: DownloadOrder, into file: SharedDescriptor, onProgress: @escaping (Progress) -> Void = { _ in },
        onEnd: @escaping (Result<Arrival, DownloadFailure>) -> Void
    ) -> Int {
        last += 1
        let id = last
        fetches[id] = Fetch(
            order: order, file: file, until: loop.now + order.within, onProgress: onProgress, onEnd: onEnd)
        timers[id] = loop.schedule(at: loop.now + order.within + Self.slack) { [weak self] in
            guard let self else { return }
            let words = packets == nil ? "there is no uplink that could fetch it" : "the uplink does not answer"
            packets?.send(DownloadRequest.stop(id: id).json.serialised())
            end(id, DownloadFailure(.tooLate, words))
        }
        send(id)
        return id
    }

    func stop(_ id: Int) {
        guard forgetFetch(id) != nil else { return }
        packets?.send(DownloadRequest.stop(id: id).json.serialised())
    }

    private func send(_ id: Int) {
        guard let packets, var fetch = fetches[id] else { return }
        if case .content = fetch.order.source, let number = fetch.file.rawValue,
            let size = try? SystemCall.status(number).size
        {
            // An uplink that was there before may have written some of it.
            fetch.order.offset = Int(size)
            fetch.isContinued = fetch.isContinued || size > 0
            fetches[id] = fetch
        }
        fetch.order.within = max(.zero, loop.now.duration(to: fetch.until))
        packets.send(DownloadRequest.fetch(id: id, fetch.order).json.serialised(), fetch.file)
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        guard let json = try? JSONValue.parse(bytes), let report = try? DownloadReport(json: json) else { return }
        switch report {
        case .progress(let id, let bytes): fetches[id]?.onProgress(.bytes(bytes))
        case .retrying(let id, let message): fetches[id]?.onProgress(.retrying(message))
        case .ended(let id, let failure): end(id, failure)
        case .unknown: break
        }
    }

    private func forgetFetch(_ id: Int) -> Fetch? {
        if let timer = timers.removeValue(forKey: id) { loop.cancel(timer) }
        return fetches.removeValue(forKey: id)
    }

    private func end(_ id: Int, _ failure: DownloadFailure?) {
        guard let fetch = forgetFetch(id) else { return }
        fetch.onEnd(failure.map { .failure($0) } ?? .success(fetch.isContinued ? .continued : .inOneGo))
    }
}
