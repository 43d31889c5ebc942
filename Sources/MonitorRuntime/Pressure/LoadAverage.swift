import LinuxSystem

/// How many tasks want to run, of the last minute (/proc/loadavg).
final class LoadAverage {
    private let file: KernelFile
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128, alignment: 1)

    init(_ path: String) throws(SystemError) {
        file = try KernelFile(path)
    }

    deinit {
        buffer.deallocate()
    }

    /// For each processor.
    var value: Double? {
        let text = try? file.read(into: buffer) { String(decoding: $0.prefix { $0 != 0x20 }, as: UTF8.self) }
        return text.flatMap { Double($0) }.map { $0 / Double(MachineConstants.processors) }
    }
}
