import LinuxSystem

/// What a plugin prints, line by line. Read as fast as it comes, so that nobody waits for us, and told within limits.
final class PrintedLines {
    private let loop: EventLoop
    private let pipe: SharedDescriptor
    private var registration: EventLoop.Registration?
    private var line: [UInt8] = []
    private var told = 0
    private var dropped = 0

    var onLine: (String) -> Void = { _ in }

    /// Of a command.
    private static let mostLines = 1000
    private static let longestLine = 1024
    private static let lineFeed = UInt8(ascii: "\n")

    init(loop: EventLoop, pipe: SharedDescriptor) {
        self.loop = loop
        self.pipe = pipe
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    func start() throws(SystemError) {
        guard let number = pipe.rawValue else { return }
        registration = try loop.register(number, .readable) { [weak self] _ in self?.read() }
    }

    /// Takes what is there, the beginning of a line too; nothing is told afterwards.
    func finish() {
        // What a flood has put there is less than a pipe holds; whoever still writes is about to be ended.
        for _ in 0..<64 {
            guard let number = pipe.rawValue,
                (try? SystemCall.wait(for: number, .readable, timeout: .zero)) == true, read()
            else { break }
        }
        if !line.isEmpty { endLine() }
        if dropped > 0 { onLine("\(dropped) further lines are left out") }
        onLine = { _ in }
        stop()
    }

    /// - Returns: whether there may be more.
    @discardableResult
    private func read() -> Bool {
        guard let number = pipe.rawValue else { return false }
        let count = withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { buffer -> Int in
            guard case .done(let count)? = try? SystemCall.read(number, into: buffer) else { return 0 }
            take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            return count
        }
        if count == 0 { stop() }
        return count > 0
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            if byte == Self.lineFeed {
                endLine()
            } else if line.count < Self.longestLine {
                line.append(byte)
            }
        }
    }

    private func endLine() {
        defer { line.removeAll(keepingCapacity: true) }
        guard told < Self.mostLines else { return dropped += 1 }
        told += 1
        onLine(String(decoding: line.filter { $0 != 0 }, as: UTF8.self))
    }

    private func stop() {
        if let registration = registration.take() { loop.unregister(registration) }
        pipe.close()
    }
}
