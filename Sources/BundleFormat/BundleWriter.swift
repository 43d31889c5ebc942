import CArchive
import LinuxSystem

/// Writes an archive into a file. The same entries give the same bytes.
final class BundleWriter {
    private final class Sink {
        let descriptor: Int32
        var failure: SystemError?

        init(_ descriptor: Int32) { self.descriptor = descriptor }

        func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
            var rest = bytes[...]
            do throws(SystemError) {
                while !rest.isEmpty {
                    // A regular file never has one wait.
                    guard
                        case .done(let count) = try SystemCall.write(
                            descriptor, UnsafeRawBufferPointer(rebasing: rest))
                    else { continue }
                    rest = rest.dropFirst(count)
                }
                return true
            } catch {
                failure = error
                return false
            }
        }
    }

    private let sink: Sink
    private let pack: OpaquePointer

    init(_ descriptor: Int32, _ compression: BundleCompression) throws(BundleError) {
        try ArchiveLibrary.open()
        sink = Sink(descriptor)
        var problem = [CChar](repeating: 0, count: 512)
        let callback = hf_archive_sink(
            context: Unmanaged.passUnretained(sink).toOpaque(),
            write: { context, bytes, size in
                guard let context else { return -1 }
                let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
                return sink.write(UnsafeRawBufferPointer(start: bytes, count: size)) ? 0 : -1
            })
        let pack = problem.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { hf_pack_begin(callback, compression.library, $0, buffer.count) }
        }
        guard let pack else {
            throw BundleError(.libraryUnavailable, "an archive cannot be begun: \(String(fromC: problem))")
        }
        self.pack = pack
    }

    deinit { hf_pack_free(pack) }

    private func check(_ status: Int32) throws(BundleError) {
        guard status != 0 else { return }
        if let failure = sink.failure { throw BundleError(failure) }
        throw BundleError(.unpackable, "the archive cannot be written: \(String(cString: hf_pack_problem(pack)))")
    }

    func begin(_ path: String, mode: UInt32, size: Int) throws(BundleError) {
        try check(hf_pack_entry(pack, path, mode, Int64(size), nil))
    }

    func add(_ bytes: UnsafeRawBufferPointer) throws(BundleError) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        try check(hf_pack_data(pack, start, bytes.count))
    }

    func addLink(_ path: String, target: String) throws(BundleError) {
        try check(hf_pack_entry(pack, path, 0o777, 0, target))
    }

    func finish() throws(BundleError) { try check(hf_pack_finish(pack)) }
}
