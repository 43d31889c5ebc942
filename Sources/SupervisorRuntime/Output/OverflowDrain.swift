import LinuxSystem
import MonotonicTime

/// Keeps workers from blocking for ever while no `holdfast-output` is there (it is crash-looping, say): once a second,
/// and only then, a FIFO that is full is emptied and its bytes are counted as lost. One that is not full is left alone,
/// so that a restart of `holdfast-output` loses nothing that fits.
final class OverflowDrain {
    private let loop: EventLoop
    private var timer: TimerID?
    /// The workers' FIFOs by name.
    var fifos: () -> [(worker: String, descriptor: Int32)] = { [] }
    var onLost: (_ worker: String, _ bytes: Int) -> Void = { _, _ in }

    private static let period: Duration = .seconds(1)

    init(loop: EventLoop) {
        self.loop = loop
    }

    func start() {
        guard timer == nil else { return }
        timer = loop.schedule(at: loop.now + Self.period) { [weak self] in
            guard let self else { return }
            timer = nil
            drainFull()
            start()
        }
    }

    func stop() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }

    private func drainFull() {
        for fifo in fifos() {
            guard (try? FIFO.isFull(fifo.descriptor)) == true, let capacity = try? FIFO.capacity(fifo.descriptor)
            else { continue }
            let lost = discard(fifo.descriptor, upTo: capacity)
            if lost > 0 { onLost(fifo.worker, lost) }
        }
    }

    private func discard(_ descriptor: Int32, upTo limit: Int) -> Int {
        var discarded = 0
        withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { buffer in
            while discarded < limit, case .done(let count) = try? SystemCall.read(descriptor, into: buffer), count > 0 {
                discarded += count
            }
        }
        return discarded
    }
}
