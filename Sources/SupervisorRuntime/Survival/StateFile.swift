import CChecksum
import ControlProtocol
import LinuxSystem
import Supervision

/// The state file: a header, then one line for each entry, oldest first. Each line begins with the checksum of its rest,
/// and one write(2) makes a whole line; the first line that is not whole ends the file. It lies in the runtime directory,
/// that is in memory, and has to survive this process, not the machine (docs/state-format.md).
final class StateFile {
    /// What is written. Files of the version before and after can be read too: they may have more members, or fewer.
    static let version = 1
    /// A file may grow to this many times its first size, and to this much in any case, before it is written anew.
    private static let growth = 4
    private static let smallestLimit = 256 * 1024
    private static let largestFile = 64 << 20

    /// Whether this version reads files of another.
    static func canRead(_ version: Int) -> Bool { abs(version - Self.version) <= 1 }

    private let path: String
    private let bootID: String
    private var file: SharedDescriptor?
    private var size = 0
    private var limit = 0

    init(path: String, bootID: String) {
        self.path = path
        self.bootID = bootID
    }

    /// Whether the next entry must be a whole record: there is no file of ours yet, it has become too long, or a line
    /// could not be written.
    var wantsRewrite: Bool { file == nil || size > limit }

    // MARK: Writing

    /// Replaces the file by one that holds this record as its only entry.
    func rewrite(_ record: SurvivalRecord) throws(SystemError) {
        let entry = StateEntry(
            changes: TreeChanges(
                lastInstance: record.tree.lastInstance, isShuttingDown: record.tree.isShuttingDown,
                workers: record.tree.workers.values.sorted { $0.name < $1.name },
                supervisors: record.tree.supervisors.values.sorted { $0.name < $1.name }),
            processes: record.processes, lastEvent: record.lastEvent)
        let header: JSONValue = [
            "holdfast_state": .int(Int64(Self.version)), "boot": .string(bootID), "runtime": .string(record.runtime),
            "written_by": .string(HoldfastVersion.current),
        ]
        let bytes = Self.line(header.serialised()) + Self.line(entry.stateText)
        file = nil
        let new = SharedDescriptor(
            try SystemCall.open(
                "\(path).new", [.writeOnly, .create, .truncate, .append, .noFollow], permissions: 0o600))
        try write(bytes, to: new)
        try SystemCall.rename("\(path).new", to: path)
        file = new
        size = bytes.count
        limit = max(Self.smallestLimit, bytes.count * Self.growth)
    }

    /// Adds a line. After an error the file ends before it, and wants to be rewritten.
    /// - Parameter entry: the text of a `StateEntry`.
    func append(_ entry: [UInt8]) throws(SystemError) {
        guard let file else { return }
        let bytes = Self.line(entry)
        do throws(SystemError) {
            try write(bytes, to: file)
        } catch {
            self.file = nil
            throw error
        }
        size += bytes.count
    }

    private func write(_ bytes: [UInt8], to file: SharedDescriptor) throws(SystemError) {
        guard let descriptor = file.rawValue else { return }
        guard case .done(bytes.count) = try SystemCall.write(descriptor, bytes) else {
            // Cut short: the file system is full.
            throw SystemError(call: "write", errno: SystemError.noSpace, subject: path)
        }
    }

    private static func line(_ body: [UInt8]) -> [UInt8] {
        let digits = String(hf_crc32c(0, body, body.count), radix: 16)
        let checksum = String(repeating: "0", count: 8 - digits.count) + digits
        return Array("\(checksum) ".utf8) + body + [UInt8(ascii: "\n")]
    }

    // MARK: Reading

    enum Reading {
        case nothing
        /// There is a file, and it cannot be used; why, as part of a sentence.
        case unusable(String)
        case found(SurvivalRecord)
    }

    /// What the file says, if it is of this boot.
    func read() -> Reading {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try SystemCall.readFile(path, limit: Self.largestFile)
        } catch {
            return error.isNotFound ? .nothing : .unusable("it cannot be read: \(error.message)")
        }
        var lines = bytes.split(separator: UInt8(ascii: "\n"))[...]
        guard let header = lines.popFirst().flatMap(Self.content) else { return .unusable("its first line is damaged") }
        guard let version = header["holdfast_state"]?.intValue, let runtime = header["runtime"]?.stringValue else {
            return .unusable("it is no state of holdfastd")
        }
        guard Self.canRead(version) else {
            return .unusable(
                "it has version \(version), and this holdfastd reads \(Self.version - 1) to \(Self.version + 1)")
        }
        guard header["boot"]?.stringValue == bootID else { return .nothing }
        var record = SurvivalRecord(runtime: runtime)
        guard let first = lines.popFirst().flatMap(Self.content), let entry = try? StateEntry(stateJSON: first) else {
            return .unusable("its record is damaged")
        }
        record.apply(entry)
        while let line = lines.popFirst() {
            guard let json = Self.content(line), let entry = try? StateEntry(stateJSON: json) else { break }
            record.apply(entry)
        }
        record.prune()
        return .found(record)
    }

    private static func content(_ line: ArraySlice<UInt8>) -> JSONValue? {
        guard line.count > 9, line[line.startIndex + 8] == UInt8(ascii: " "),
            let checksum = UInt32(String(decoding: line.prefix(8), as: UTF8.self), radix: 16)
        else { return nil }
        let body = Array(line.dropFirst(9))
        guard hf_crc32c(0, body, body.count) == checksum else { return nil }
        return try? JSONValue.parse(body, limits: JSONLimits(maximumBytes: largestFile, maximumDepth: 8))
    }
}
