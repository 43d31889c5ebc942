import ControlProtocol
import DownloadProtocol
import LinuxSystem

/// Fetches what executors ask for, each over a socket of its own. A few downloads are under way at a time; the others wait in
/// the order in which they came.
final class Downloads {
    static let mostAtOnce = 4

    private let loop: EventLoop
    private let connections: DownloadConnections
    private let environment: Download.Environment
    private var clients: [DownloadClient] = []
    private var queue: [Download] = []
    private var running: [Download] = []
    private var isTurnPending = false

    var onTrouble: (String) -> Void = { _ in }

    /// - Parameter slowTime: for how long a download may be too slow.
    init(loop: EventLoop, deadman: DeadmanAlarm, link: Link, slowTime: Duration) {
        self.loop = loop
        connections = DownloadConnections(loop: loop, link: link)
        environment = Download.Environment(
            loop: loop, deadman: deadman, link: link, connections: connections, slowTime: slowTime)
    }

    /// Takes a socket to an executor.
    func attach(_ socket: SharedDescriptor) {
        guard let descriptor = socket.take() else { return }
        let client = DownloadClient(loop: loop, socket: UnixStream(owning: descriptor), environment: environment)
        client.onQueued = { [weak self] in self?.add($0) }
        client.onGone = { [weak self, weak client] in
            guard let self, let client else { return }
            clients.removeAll { $0 === client }
        }
        client.onRemoved = { [weak self] in self?.remove($0) }
        client.onTrouble = { [weak self] in self?.onTrouble($0) }
        do throws(SystemError) {
            try client.start()
            clients.append(client)
        } catch {
            onTrouble("an executor cannot be heard: \(error)")
        }
    }

    /// Requests go to another central now.
    func centralChanged() {
        connections.drop()
        // Not at once: this may be within one of their own events.
        loop.schedule(at: loop.now) { [weak self] in
            for download in self?.running ?? [] { download.connectionLost() }
        }
    }

    private func add(_ download: Download) {
        queue.append(download)
        turnLater()
    }

    private func remove(_ download: Download) {
        queue.removeAll { $0 === download }
        running.removeAll { $0 === download }
        turnLater()
    }

    /// Not at once: one ends within a callback of libcurl, where no request may be begun.
    private func turnLater() {
        guard !isTurnPending, !queue.isEmpty, running.count < Self.mostAtOnce else { return }
        isTurnPending = true
        loop.schedule(at: loop.now) { [weak self] in
            guard let self else { return }
            isTurnPending = false
            while running.count < Self.mostAtOnce, !queue.isEmpty {
                let next = queue.removeFirst()
                running.append(next)
                next.begin()
            }
        }
    }
}
