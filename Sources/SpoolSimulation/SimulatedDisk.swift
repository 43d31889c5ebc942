import LinuxSystem
import Spool

/// A folder that loses what was not synced when the power goes, tears writes, fills up, fails calls and flips bits.
final class SimulatedDisk: SpoolFiles {
    private struct File {
        /// What the kernel shows.
        var content: [UInt8] = []
        /// What survives a power cut, whatever becomes of the writes since.
        var durable: [UInt8] = []
        /// Since the last sync, in order: bytes at an offset, or a cut.
        var pending: [Change] = []
    }

    private enum Change {
        case write(offset: Int, bytes: [UInt8])
        case cut(size: Int)
    }

    enum Failure: Equatable {
        /// The process or the machine stops at the call, which may be half done.
        case stop
        case error(Int32)
    }

    private var files: [String: File] = [:]
    /// As the folder is on the disk.
    private var durableNames: [String: File] = [:]
    private var random: any RandomNumberGenerator
    /// Calls that change something, so far.
    private(set) var calls = 0
    /// What the call with this number does.
    var failures: [Int: Failure] = [:]
    /// Of all files together.
    var capacity = Int.max
    private(set) var hasStopped = false

    init(random: some RandomNumberGenerator) {
        self.random = random
    }

    /// The process is gone, the machine is not.
    func restartProcess() {
        hasStopped = false
        failures = [:]
        // What the kernel has forgotten to write is a matter between it and the process that was told so.
        for (name, file) in sorted(files) where file.pending.isEmpty && file.content != file.durable {
            files[name]?.pending = [.write(offset: 0, bytes: file.content)]
            if file.durable.count > file.content.count {
                files[name]?.pending.append(.cut(size: file.content.count))
            }
        }
    }

    /// Of what was not synced some is there, some is not.
    func cutPower() {
        hasStopped = false
        failures = [:]
        var survivors: [String: File] = [:]
        for (name, file) in sorted(files) {
            // A new name may be on the disk without having been synced.
            guard durableNames[name] != nil || Bool.random(using: &random) else { continue }
            survivors[name] = survivor(of: file)
        }
        // A removed one may be there again.
        for (name, file) in sorted(durableNames) where files[name] == nil && Bool.random(using: &random) {
            survivors[name] = survivor(of: file)
        }
        files = survivors
        durableNames = survivors
    }

    /// In one order, whatever the process: a seed has to give the same life again.
    private func sorted(_ files: [String: File]) -> [(key: String, value: File)] {
        files.sorted { $0.key < $1.key }
    }

    private func survivor(of file: File) -> File {
        var content = file.durable
        for change in file.pending where Bool.random(using: &random) {
            switch change {
            case .write(let offset, let bytes):
                let count = Bool.random(using: &random) ? bytes.count : Int.random(in: 0...bytes.count, using: &random)
                SimulatedDisk.put(bytes[..<count], at: offset, in: &content)
            case .cut(let size): content = Array(content.prefix(size))
            }
        }
        return File(content: content, durable: content)
    }

    /// Flips a bit of a file other than the cursor.
    /// - Returns: whether there was any.
    func flipBit() -> Bool {
        let names = files.keys.filter { $0 != "cursor" && files[$0]?.content.isEmpty == false }.sorted()
        guard let name = names.randomElement(using: &random), let count = files[name]?.content.count else {
            return false
        }
        let place = Int.random(in: 0..<count, using: &random)
        let bit = UInt8(1 << Int.random(in: 0..<8, using: &random))
        files[name]?.content[place] ^= bit
        if let size = files[name]?.durable.count, place < size { files[name]?.durable[place] ^= bit }
        return true
    }

    var used: Int { files.values.reduce(0) { $0 + $1.content.count } }

    // MARK: SpoolFiles

    /// - Returns: whether the call is only half done, and then throws.
    private func begin(_ call: String) throws(SystemError) -> Bool {
        guard !hasStopped else { throw SystemError(call: call, errno: 5) }
        calls += 1
        switch failures[calls] {
        case nil: return false
        case .error(let errno): throw SystemError(call: call, errno: errno)
        case .stop:
            hasStopped = true
            return true
        }
    }

    private func stopped(_ call: String) -> SystemError { SystemError(call: call, errno: 5) }

    func names() throws(SystemError) -> [String] {
        guard !hasStopped else { throw stopped("getdents") }
        return files.keys.sorted()
    }

    func size(of name: String) throws(SystemError) -> Int {
        guard !hasStopped else { throw stopped("stat") }
        guard let file = files[name] else { throw SystemError(call: "stat", errno: 2) }
        return file.content.count
    }

    func read(
        _ name: String, at offset: Int, into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Int {
        guard !hasStopped else { throw stopped("pread") }
        guard let file = files[name] else { throw SystemError(call: "openat", errno: 2) }
        guard offset < file.content.count else { return 0 }
        let part = file.content[offset..<min(file.content.count, offset + buffer.count)]
        buffer.copyBytes(from: part)
        return part.count
    }

    func write(_ name: String, at offset: Int, _ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        let isHalf = try begin("pwrite")
        var part = Array(bytes)
        if isHalf { part = Array(part.prefix(Int.random(in: 0...part.count, using: &random))) }
        let growth = max(0, offset + part.count - (files[name]?.content.count ?? 0))
        let room = capacity - used
        let isFull = growth > max(room, 0)
        if isFull { part = Array(part.prefix(max(0, part.count - (growth - max(room, 0))))) }
        SimulatedDisk.put(part[...], at: offset, in: &files[name, default: File()].content)
        files[name]?.pending.append(.write(offset: offset, bytes: part))
        if isHalf { throw stopped("pwrite") }
        if isFull { throw SystemError(call: "pwrite", errno: SystemError.noSpace) }
    }

    func cut(_ name: String, to size: Int) throws(SystemError) {
        let isHalf = try begin("ftruncate")
        if !isHalf || Bool.random(using: &random) {
            let kept = Array(files[name]?.content.prefix(size) ?? [])
            files[name]?.content = kept
            files[name]?.pending.append(.cut(size: size))
        }
        if isHalf { throw stopped("ftruncate") }
    }

    func sync(_ name: String) throws(SystemError) {
        if case .error = failures[calls + 1], !hasStopped, Bool.random(using: &random), var file = files[name] {
            // The kernel forgets what it could not write, and shows it all the same; the next call succeeds.
            file.pending = []
            files[name] = file
        }
        if try begin("fdatasync") { throw stopped("fdatasync") }
        guard var file = files[name] else { throw SystemError(call: "openat", errno: 2) }
        for change in file.pending {
            switch change {
            case .write(let offset, let bytes): SimulatedDisk.put(bytes[...], at: offset, in: &file.durable)
            case .cut(let size): file.durable = Array(file.durable.prefix(size))
            }
        }
        file.pending = []
        files[name] = file
        if durableNames[name] != nil { durableNames[name] = file }
    }

    func syncNames() throws(SystemError) {
        if try begin("fsync") { throw stopped("fsync") }
        durableNames = files
    }

    func remove(_ name: String) throws(SystemError) {
        let isHalf = try begin("unlink")
        if !isHalf || Bool.random(using: &random) { files[name] = nil }
        if isHalf { throw stopped("unlink") }
    }

    private static func put(_ bytes: ArraySlice<UInt8>, at offset: Int, in content: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        if content.count < offset + bytes.count {
            content.append(contentsOf: repeatElement(0, count: offset + bytes.count - content.count))
        }
        content.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
}
