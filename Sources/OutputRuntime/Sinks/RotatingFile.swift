import LinuxSystem
import MonotonicTime

/// A log file with a cap: what would make it longer goes into a new one, and the old ones move up (NAME.1, NAME.2, ...)
/// until the oldest is gone. Together they hold at most (rotated + 1) x maximum bytes, or one record where that is more.
///
/// Records are written whole: of one that did not fit the disk, no piece stays. After a failure nothing is tried for
/// `retryPause`, and then only when there is something to write: a full disk costs neither time nor wake-ups.
final class RotatingFile {
    static let retryPause: Duration = .seconds(1)
    /// How often to look whether somebody moved or removed the file under us (logrotate, an operator).
    static let presenceInterval: Duration = .seconds(1)
    /// EIO of errno(3).
    private static let ioError: Int32 = 5

    private let name: String
    private let directory: LogDirectory
    private var maximumBytes: Int
    private var rotated: Int
    private var file: SharedDescriptor?
    private var size = 0
    private var inode: UInt64 = 0
    private var looked = MonotonicInstant.zero
    private var retryAt: MonotonicInstant?
    /// What the system said last.
    private(set) var failure: SystemError?

    init(_ name: String, in directory: LogDirectory, maximumBytes: Int, rotated: Int) {
        self.name = name
        self.directory = directory
        self.maximumBytes = max(maximumBytes, 1)
        self.rotated = max(rotated, 0)
    }

    /// Takes new limits; a file beyond them is rotated with the next write.
    func adjust(maximumBytes: Int, rotated: Int) {
        self.maximumBytes = max(maximumBytes, 1)
        self.rotated = max(rotated, 0)
    }

    /// Appends records, which end at the given offsets, the first beginning at 0.
    /// - Returns: how many of them were written; when not all, `failure` says why.
    func append(_ bytes: [UInt8], endingAt ends: [Int], at now: MonotonicInstant) -> Int {
        if let retryAt, now < retryAt { return 0 }
        var written = 0
        do throws(SystemError) {
            while written < ends.count {
                try openIfNeeded(at: now)
                let start = written == 0 ? 0 : ends[written - 1]
                let next = lastFitting(ends, from: written, start: start)
                if next > written {
                    try write(bytes[start..<ends[next - 1]], ends[written..<next], start: start, written: &written)
                } else {
                    try rotate()
                }
            }
            (retryAt, failure) = (nil, nil)
        } catch {
            failure = error
            file = nil
            retryAt = now.advanced(by: RotatingFile.retryPause)
        }
        return written
    }

    /// The index after the last record that fits the current file; an empty one takes a record of any size.
    private func lastFitting(_ ends: [Int], from first: Int, start: Int) -> Int {
        var next = first
        while next < ends.count, size + ends[next] - start <= maximumBytes { next += 1 }
        return next == first && size == 0 ? first + 1 : next
    }

    private func write(
        _ bytes: ArraySlice<UInt8>, _ ends: ArraySlice<Int>, start: Int, written: inout Int
    ) throws(SystemError) {
        guard let descriptor = file?.rawValue else { return }
        var done = 0
        do throws(SystemError) {
            while done < bytes.count {
                let rest = bytes[(bytes.startIndex + done)...]
                let result = try rest.withUnsafeBufferPointer { (rest) throws(SystemError) in
                    try SystemCall.write(descriptor, UnsafeRawBufferPointer(rest))
                }
                // A log file does not block, and takes at least a byte unless it fails.
                guard case .done(let count) = result, count > 0 else {
                    throw SystemError(call: "write", errno: RotatingFile.ioError)
                }
                done += count
            }
        } catch {
            let whole = ends.prefix { $0 - start <= done }
            let kept = whole.last.map { $0 - start } ?? 0
            // A torn record would swallow the next one's beginning. Cutting needs no space.
            if done > kept { try? SystemCall.truncate(descriptor, to: Int64(size + kept)) }
            size += kept
            written += whole.count
            throw error.about(directory.pathOf(name))
        }
        size += done
        written += ends.count
    }

    private func openIfNeeded(at now: MonotonicInstant) throws(SystemError) {
        if file != nil {
            guard looked.duration(to: now) >= RotatingFile.presenceInterval else { return }
            looked = now
            if let status = try? directory.status(of: name), status.inode == inode { return }
            file = nil
        }
        // Not through a link: whoever may write to the directory must not choose another file for us.
        let opened = try directory.open(
            name, [.writeOnly, .create, .append, .noFollow, .nonBlocking], permissions: 0o640)
        let status = try SystemCall.status(opened.rawValue)
        guard status.kind == .regular else {
            throw SystemError(
                call: "open", errno: RotatingFile.ioError, subject: "\(directory.pathOf(name)) (not a regular file)")
        }
        size = Int(status.size)
        inode = status.inode
        looked = now
        file = SharedDescriptor(opened)
    }

    /// Moves the files up by one; the current one becomes NAME.1. With none to keep it is emptied.
    private func rotate() throws(SystemError) {
        guard rotated > 0 else {
            if let descriptor = file?.rawValue { try SystemCall.truncate(descriptor, to: 0) }
            size = 0
            return
        }
        for index in stride(from: rotated - 1, through: 1, by: -1) {
            do throws(SystemError) {
                try directory.rename("\(name).\(index)", to: "\(name).\(index + 1)")
            } catch  where error.isNotFound {
                continue
            }
        }
        file = nil
        try directory.rename(name, to: "\(name).1")
        // Settings may have asked for more files once.
        var surplus = rotated + 1
        while (try? directory.remove("\(name).\(surplus)")) != nil { surplus += 1 }
    }
}
