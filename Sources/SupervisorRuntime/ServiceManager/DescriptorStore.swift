import LinuxSystem
import MonotonicTime

/// The fd store of systemd (FDSTORE=1, sd_notify(3)). What does not get through at once is tried again; what is lost, if
/// this process dies before, is found by the records instead. Without a service manager nothing is stored.
final class DescriptorStore {
    private static let retryPause: Duration = .milliseconds(50)

    private let loop: EventLoop
    private let notifier: ServiceNotifier
    /// What is to be stored, with the number that the descriptor has when it is sent, or to be removed (`nil`).
    private var queue: [(descriptor: StoredDescriptor, number: (() -> Int32?)?)] = []
    private var retry: TimerID?

    init(loop: EventLoop, notifier: ServiceNotifier) {
        self.loop = loop
        self.notifier = notifier
    }

    func store(_ descriptor: StoredDescriptor, _ number: @escaping () -> Int32?) {
        guard notifier.isWanted else { return }
        queue.append((descriptor, number))
    }

    func remove(_ descriptor: StoredDescriptor) {
        guard notifier.isWanted else { return }
        queue.append((descriptor, nil))
    }

    /// Sends what waits. Last in a wake-up: nobody waits for it.
    func flush() {
        guard retry == nil else { return }
        var sent = 0
        defer { queue.removeFirst(sent) }
        while sent < queue.count {
            guard send(queue[sent].descriptor, queue[sent].number) else {
                retry = loop.schedule(at: loop.now + Self.retryPause) { [weak self] in
                    self?.retry = nil
                    self?.flush()
                }
                return
            }
            sent += 1
        }
    }

    private func send(_ descriptor: StoredDescriptor, _ number: (() -> Int32?)?) -> Bool {
        guard let number else { return notifier.send(["FDSTOREREMOVE=1", "FDNAME=\(descriptor.name)"]) }
        // Gone before it could be stored.
        guard let number = number(), number >= 0 else { return true }
        // Without FDPOLL=0 systemd would drop a pidfd when its process ends, which is when it is needed.
        return notifier.send(["FDSTORE=1", "FDNAME=\(descriptor.name)", "FDPOLL=0"], descriptors: [number])
    }
}
