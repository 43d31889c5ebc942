import Crypto
import LinuxSystem
import NIOCore
import Synchronization

/// An archive on its way in: it is hashed while it comes, and written behind what is there already.
final class IncomingFile: Sendable {
    /// Why something does not belong to it.
    enum Refusal: Error, Equatable {
        /// It would begin elsewhere than at the end of what is there.
        case wrongOffset(Int64)
        /// Somebody else goes on with it: its own client, on a new connection.
        case overtaken
        /// More than was announced.
        case tooLong
    }

    private struct State: ~Copyable {
        let file: Descriptor
        var hasher = SHA256()
        var offset: Int64 = 0
        var ticket: UInt64 = 0
    }

    private static let pieceSize = 1 << 20

    // The lock is held while the disk is waited for: it is this file's own, and its users take turns.
    private let state: Mutex<State>

    /// Opens it, or makes it, and hashes what is there. After a power cut that may be anything: the hash will tell.
    init(_ path: String) throws {
        var state = State(
            file: try SystemCall.open(path, [.readWrite, .create, .noFollow], permissions: 0o600))
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceSize, alignment: 16)
        defer { piece.deallocate() }
        while true {
            let count = try SystemCall.read(state.file.rawValue, into: piece, at: state.offset)
            guard count > 0 else { break }
            state.hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: piece[..<count]))
            state.offset += Int64(count)
        }
        self.state = Mutex(state)
    }

    var offset: Int64 { state.withLock { $0.offset } }

    /// Begins to go on at this place; whoever did so before is out.
    /// - Returns: what `append` and `finish` ask for.
    func claim(at offset: Int64) throws(Refusal) -> UInt64 {
        let ticket: UInt64? = state.withLock { state in
            guard state.offset == offset else { return nil }
            state.ticket += 1
            return state.ticket
        }
        guard let ticket else { throw .wrongOffset(self.offset) }
        return ticket
    }

    /// - Parameter limit: how long it may be, in bytes.
    func append(_ bytes: ByteBuffer, ticket: UInt64, limit: Int64) throws {
        try state.withLock { state in
            guard state.ticket == ticket else { throw Refusal.overtaken }
            guard state.offset + Int64(bytes.readableBytes) <= limit else { throw Refusal.tooLong }
            try bytes.withUnsafeReadableBytes { bytes in
                var done = 0
                while done < bytes.count {
                    let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                    done += try SystemCall.write(state.file.rawValue, rest, at: state.offset + Int64(done))
                }
                state.hasher.update(bufferPointer: bytes)
            }
            state.offset += Int64(bytes.readableBytes)
        }
    }

    /// Has all of it on the disk, and looks at it.
    /// - Parameter body: gets the hash, in hexadecimal digits, and a descriptor to read from.
    func finish<Value: Sendable>(ticket: UInt64, _ body: (String, Int32) throws -> Value) throws -> Value {
        try state.withLock { state in
            guard state.ticket == ticket else { throw Refusal.overtaken }
            try SystemCall.synchronize(state.file.rawValue)
            let hash = state.hasher.finalize().map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
            return try body(hash.joined(), state.file.rawValue)
        }
    }
}
