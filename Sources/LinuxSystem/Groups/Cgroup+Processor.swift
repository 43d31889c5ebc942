/// How much of the processors a cgroup may use (cpu.max).
extension Cgroup {
    private static let periodMicroseconds = 100_000

    /// In percent of one processor; `nil` for no limit. ENOENT where the cpu controller is not enabled for it.
    package func processorLimit() throws(SystemError) -> Double? {
        let text = String(decoding: try SystemCall.readFile("cpu.max", limit: 64, in: rawValue), as: UTF8.self)
        let fields = text.split { $0 == " " || $0 == "\n" }
        guard fields.count == 2, let quota = Double(fields[0]), let period = Double(fields[1]), period > 0 else {
            return nil
        }
        return quota / period * 100
    }

    /// - Parameter percent: of one processor, 1 at least; `nil` for no limit.
    package func setProcessorLimit(_ percent: Double?) throws(SystemError) {
        let quota = percent.map { "\(Int(max(1, $0) / 100 * Double(Self.periodMicroseconds)))" } ?? "max"
        try SystemCall.writeFile("cpu.max", "\(quota) \(Self.periodMicroseconds)", in: rawValue)
    }
}
