import ControlProtocol
import DownloadProtocol
import LinuxSystem

/// The socket of one executor, and its downloads. They end with it.
final class DownloadClient {
    /// Downloads that one executor may have at a time, those that wait for their turn included.
    static let mostDownloads = 64
    /// Reports that may wait for it to read.
    private static let longestQueue = 256
    /// Everything else has its turn in between.
    private static let packetsPerTurn = 16
    private static let longestName = 128

    private let packets: PacketChannel
    private let environment: Download.Environment
    private var downloads: [Int: Download] = [:]

    /// Called with a download that waits for its turn.
    var onQueued: (Download) -> Void = { _ in }
    /// Called with a download that has ended, or is not wanted any more.
    var onRemoved: (Download) -> Void = { _ in }
    /// Called once, when the executor is gone or is not listened to any more.
    var onGone: () -> Void = {}
    var onTrouble: (String) -> Void = { _ in }

    init(loop: EventLoop, socket: UnixStream, environment: Download.Environment) {
        self.environment = environment
        packets = PacketChannel(
            loop: loop, socket: socket, longestQueue: Self.longestQueue, packetsPerTurn: Self.packetsPerTurn)
        packets.onPacket = { [weak self] in self?.take($0, $1) }
        packets.onTruncated = { [weak self] in self?.cutOff("sends a packet that is too long") }
        packets.onClosed = { [weak self] in self?.end() }
    }

    func start() throws(SystemError) { try packets.start() }

    // MARK: Requests

    private func take(_ bytes: UnsafeRawBufferPointer, _ descriptor: SharedDescriptor?) {
        let request: DownloadRequest
        do throws(JSONError) {
            request = try DownloadRequest(json: try JSONValue.parse(bytes))
        } catch {
            return cutOff("sends what nobody understands: \(error)")
        }
        switch request {
        case .fetch(let id, let order): fetch(id, order, descriptor)
        case .stop(let id): if let download = downloads.removeValue(forKey: id) { stop(download) }
        case .unknown: cutOff("is of another version")
        }
    }

    private func fetch(_ id: Int, _ order: DownloadOrder, _ descriptor: SharedDescriptor?) {
        guard downloads[id] == nil else { return cutOff("begins the download \(id) twice") }
        guard downloads.count < Self.mostDownloads else {
            return send(.ended(id: id, DownloadFailure(.unavailable, "there are too many downloads at a time")))
        }
        guard let order = order.checked(longestName: Self.longestName) else {
            return send(.ended(id: id, DownloadFailure(.unavailable, "there is no such thing to ask for")))
        }
        do throws(DownloadFailure) {
            let (file, present) = try Self.file(descriptor)
            let download = Download(order, file: file, present: present, environment: environment)
            downloads[id] = download
            download.onProgress = { [weak self] in self?.send(.progress(id: id, bytes: $0)) }
            download.onRetry = { [weak self] in self?.send(.retrying(id: id, message: $0)) }
            download.onEnd = { [weak self] failure in
                guard let self, let download = downloads.removeValue(forKey: id) else { return }
                onRemoved(download)
                send(.ended(id: id, failure))
            }
            onQueued(download)
        } catch {
            send(.ended(id: id, error))
        }
    }

    /// The file that came along, which has to be one that can be written at any place, and how many bytes it has.
    private static func file(_ descriptor: SharedDescriptor?) throws(DownloadFailure) -> (SharedDescriptor, Int) {
        guard let descriptor, let number = descriptor.rawValue else {
            throw DownloadFailure(.storage, "no file has come along")
        }
        let status: FileStatus
        let isWritable: Bool
        do throws(SystemError) {
            status = try SystemCall.status(number)
            isWritable = try SystemCall.isWritableAnywhere(number)
        } catch {
            throw DownloadFailure(.storage, "\(error)")
        }
        guard status.kind == .regular, isWritable else {
            throw DownloadFailure(.storage, "what has come along is no file that is open for writing at any place")
        }
        return (descriptor, Int(clamping: status.size))
    }

    // MARK: Its end

    private func send(_ report: DownloadReport) {
        guard packets.isOpen, !packets.send(report.json.serialised()) else { return }
        cutOff("does not read what it is told")
    }

    private func cutOff(_ why: String) {
        guard packets.isOpen else { return }
        onTrouble("an executor \(why); its downloads are stopped")
        packets.close()
    }

    private func end() {
        let stopped = downloads.values
        downloads = [:]
        for download in stopped { stop(download) }
        onGone()
    }

    private func stop(_ download: Download) {
        download.stop()
        onRemoved(download)
    }
}

extension DownloadOrder {
    /// The same, in the form that central is asked for; `nil` when nobody can have such a thing.
    fileprivate func checked(longestName: Int) -> DownloadOrder? {
        var order = self
        switch source {
        case .content(let sha256, let length):
            let digest = sha256.lowercased()
            guard digest.utf8.count == 64, digest.utf8.allSatisfy(\.isHexadecimal), length >= 0,
                (0...length).contains(offset)
            else { return nil }
            order.source = .content(sha256: digest, length: length)
        case .metadata(let name, let longest):
            guard longest >= 0, name.utf8.first != UInt8(ascii: "."), (1...longestName).contains(name.utf8.count),
                name.utf8.allSatisfy(\.isInMetadataName)
            else { return nil }
        }
        return order
    }
}

extension UInt8 {
    fileprivate var isHexadecimal: Bool { (0x30...0x39).contains(self) || (0x61...0x66).contains(self) }

    /// As files of The Update Framework are called: letters, digits, dots, hyphens and underscores.
    fileprivate var isInMetadataName: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5a).contains(self) || (0x61...0x7a).contains(self)
            || [0x2d, 0x2e, 0x5f].contains(self)
    }
}
