import LinuxSystem

/// The end of what a process prints, read as it comes, so that the process never waits for a reader. Main thread only.
final class LastWords {
    private let loop: EventLoop
    private let limit: Int
    private let reading: SharedDescriptor
    private let writing: SharedDescriptor
    private var registration: EventLoop.Registration?
    private var bytes: [UInt8] = []

    /// - Parameter limit: the most bytes that are kept.
    init(loop: EventLoop, atMost limit: Int) throws(SystemError) {
        self.loop = loop
        self.limit = limit
        (reading, writing) = try SystemCall.makePipe().shared()
        guard let descriptor = reading.rawValue else { return }
        registration = try loop.register(descriptor, .readable) { [weak self] _ in self?.hear() }
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    /// What the process prints to.
    var descriptor: Int32 { writing.rawValue ?? -1 }

    /// The process has its own descriptor by now, or there is none.
    func closeOurs() {
        writing.close()
    }

    /// Whatever was printed until now, and nothing more: what it has left behind may print for ever.
    func end() -> [UInt8] {
        closeOurs()
        // More than a pipe holds.
        for _ in 0..<(Self.pipeSize / Self.step + 1) {
            guard let descriptor = reading.rawValue,
                (try? SystemCall.wait(for: descriptor, .readable, timeout: .zero)) == true
            else { break }
            hear()
        }
        stop()
        return bytes
    }

    private static let step = 4096
    private static let pipeSize = 1 << 16

    private func hear() {
        var buffer = [UInt8](repeating: 0, count: Self.step)
        let result = buffer.withUnsafeMutableBytes { buffer in
            reading.rawValue.flatMap { try? SystemCall.read($0, into: buffer) }
        }
        guard case .done(let count) = result, count > 0 else { return stop() }
        bytes = Array((bytes + buffer.prefix(count)).suffix(limit))
    }

    private func stop() {
        if let registration = registration.take() { loop.unregister(registration) }
        reading.close()
    }
}

extension LastWords {
    /// Shown on terminals, and its writer is not trusted: without control characters and line breaks.
    static func oneLine(_ bytes: some Collection<UInt8>) -> String {
        // The first byte may be in the middle of a character.
        let whole = bytes.drop { $0 & 0xc0 == 0x80 }
        var text = String.UnicodeScalarView()
        for scalar in String(decoding: whole, as: UTF8.self).unicodeScalars {
            text.append(scalar.properties.generalCategory == .control ? " " : scalar)
        }
        return String(text).split(separator: " ").joined(separator: " ")
    }

    /// The last line that has anything in it; empty where there is none.
    static func lastLine(_ bytes: [UInt8]) -> String {
        for line in bytes.split(separator: UInt8(ascii: "\n")).reversed() {
            let text = oneLine(line)
            if !text.isEmpty { return text }
        }
        return ""
    }
}
