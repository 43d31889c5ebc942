import CJournal
import LinuxSystem

/// What became of an entry.
enum JournalResult: Equatable {
    case done
    /// The journal takes no more now.
    case full
    /// Anything else, in words.
    case failed(String)
}

/// The way into the journal; tests have their own.
protocol JournalWriter: AnyObject {
    /// Never waits.
    func send(_ entry: JournalEntry) -> JournalResult

    /// Waits until the journal takes an entry, for at most so long.
    func wait(atMost time: Duration) -> Bool
}

/// libsystemd, which writes to journald's socket.
final class SystemJournal: JournalWriter {
    /// Whether journald runs here.
    static var isPresent: Bool { hf_journal_is_present() != 0 }

    /// Opens libsystemd.
    /// - Returns: `nil`, and why, when it is not installed.
    static func open() -> (journal: SystemJournal?, problem: String?) {
        if let problem = hf_journal_load() { return (nil, String(cString: problem)) }
        return (SystemJournal(), nil)
    }

    func send(_ entry: JournalEntry) -> JournalResult {
        let result = entry.bytes.withUnsafeBytes { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return 0 }
            return withUnsafeTemporaryAllocation(of: hf_journal_field.self, capacity: entry.ends.count) { fields in
                var start = 0
                for (index, end) in entry.ends.enumerated() {
                    fields.initializeElement(at: index, to: hf_journal_field(bytes: base + start, count: end - start))
                    start = end
                }
                return fields.baseAddress.map { hf_journal_send($0, Int32(entry.ends.count)) } ?? 0
            }
        }
        if result >= 0 { return .done }
        let error = SystemError(call: "sd_journal_sendv", errno: -result)
        return error.errno == SystemJournal.tryAgain ? .full : .failed(error.description)
    }

    func wait(atMost time: Duration) -> Bool {
        hf_journal_wait(
            Int32(clamping: time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000)) != 0
    }

    /// EAGAIN of errno(3).
    private static let tryAgain: Int32 = 11
}
