import LinuxSystem
import NIOPosix
import Synchronization

/// Bundles' bytes on the disk, each under its hash: `ab/cdef...`. What is there is whole and never changes; what is on its
/// way in lies in `incoming`, and is moved once all of it is there.
///
/// All calls block for the disk: make them by `run`.
package final class ContentFolder: Sendable {
    private struct State {
        var incoming: [String: IncomingFile] = [:]
        /// Being hashed again, which takes a while.
        var opening: Set<String> = []
        var busy: Set<String> = []
    }

    private static let incomingName = "incoming"

    let path: String
    private let state = Mutex(State())

    /// Makes the folder when it is not there.
    package init(_ path: String) throws {
        self.path = path
        for folder in [path, "\(path)/\(Self.incomingName)"] {
            do throws(SystemError) {
                try SystemCall.makeDirectory(folder, permissions: 0o700)
            } catch {
                if error.alreadyExists { continue }
                throw CentralError(.dataFolder, "cannot make \(folder): \(error.message)")
            }
        }
    }

    /// Does something that waits for the disk, where it keeps nobody else waiting.
    static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await NIOThreadPool.singleton.runIfActive(body)
    }

    // MARK: One at a time

    /// Keeps others from completing or removing the same content meanwhile.
    /// - Returns: `false` when somebody is at it.
    func occupy(_ sha256: String) -> Bool { state.withLock { $0.busy.insert(sha256).inserted } }

    func release(_ sha256: String) { state.withLock { _ = $0.busy.remove(sha256) } }

    // MARK: What is there

    private func folder(_ sha256: String) -> String { "\(path)/\(sha256.prefix(2))" }
    private func place(_ sha256: String) -> String { "\(folder(sha256))/\(sha256.dropFirst(2))" }
    private func incomingPlace(_ sha256: String) -> String { "\(path)/\(Self.incomingName)/\(sha256)" }

    /// - Returns: `nil` when it is not there.
    func open(_ sha256: String) throws -> ContentFile? {
        do throws(SystemError) {
            return ContentFile(try SystemCall.open(place(sha256), [.readOnly, .noFollow]))
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    func remove(_ sha256: String) throws {
        do throws(SystemError) {
            try SystemCall.removeFile(place(sha256))
            try synchronise(folder(sha256))
        } catch {
            if !error.isNotFound { throw error }
        }
    }

    func availableSpace() throws -> UInt64 { try SystemCall.availableSpace(at: path) }

    // MARK: What comes in

    /// How much of it is there.
    func received(_ sha256: String) throws -> Int64 {
        do throws(SystemError) {
            return try SystemCall.status(of: incomingPlace(sha256), followingLinks: false).size
        } catch {
            if error.isNotFound { return 0 }
            throw error
        }
    }

    /// When something of it came last, in seconds since 1970; `nil` when nothing is there.
    func changed(_ sha256: String) throws -> Double? {
        do throws(SystemError) {
            return try SystemCall.status(of: incomingPlace(sha256), followingLinks: false).modified
        } catch {
            if error.isNotFound { return nil }
            throw error
        }
    }

    /// The part that is there, to go on with; what was written before central's start is hashed again.
    func incoming(_ sha256: String) throws -> IncomingFile {
        let (known, isMine) = state.withLock { state in
            let known = state.incoming[sha256]
            return (known, known == nil && state.opening.insert(sha256).inserted)
        }
        if let known { return known }
        // A client that has waited long enough comes again meanwhile.
        guard isMine else { throw Central.busy }
        let file = Result { try IncomingFile(incomingPlace(sha256)) }
        state.withLock { state in
            state.opening.remove(sha256)
            state.incoming[sha256] = try? file.get()
        }
        return try file.get()
    }

    /// Forgets a part.
    func discard(_ sha256: String) throws {
        state.withLock { $0.incoming[sha256] = nil }
        do throws(SystemError) {
            try SystemCall.removeFile(incomingPlace(sha256))
        } catch {
            if !error.isNotFound { throw error }
        }
    }

    /// Gives what has come, and was synced, its place for good.
    func keep(_ sha256: String) throws {
        do throws(SystemError) {
            try SystemCall.makeDirectory(folder(sha256), permissions: 0o700)
            try synchronise(path)
        } catch {
            if !error.alreadyExists { throw error }
        }
        try SystemCall.rename(incomingPlace(sha256), to: place(sha256))
        try synchronise(folder(sha256))
        state.withLock { $0.incoming[sha256] = nil }
    }

    private func synchronise(_ folder: String) throws(SystemError) {
        let descriptor = try SystemCall.open(folder, [.readOnly, .directory])
        try SystemCall.synchronize(descriptor.rawValue)
    }

    // MARK: Care

    /// Removes what belongs to nobody: central was killed while it took it in, or took it away.
    /// - Parameters:
    ///   - isKnown: whether somebody may still need this content, or this part.
    ///   - time: in seconds since 1970; younger files stay.
    func sweep(before time: Double, isKnown: (String) -> Bool) throws {
        for name in try SystemCall.names(inDirectory: path) {
            let folder = "\(path)/\(name)"
            let prefix = name == Self.incomingName ? "" : name
            guard prefix.isEmpty || prefix.utf8.count == 2 else { continue }
            for rest in try SystemCall.names(inDirectory: folder) {
                let sha256 = prefix + rest
                guard !isKnown(sha256), let status = try? SystemCall.status(of: "\(folder)/\(rest)"),
                    status.modified < time, occupy(sha256)
                else { continue }
                defer { release(sha256) }
                if prefix.isEmpty { try discard(sha256) } else { try remove(sha256) }
            }
        }
    }

    /// Whether it is the name of content.
    static func isHash(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
