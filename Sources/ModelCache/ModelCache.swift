package import BundleStore
import ControlProtocol
import LinuxSystem
import Trust

/// The models of a device, by their content, and which of them its workers serve (docs/models.md). Opened for one step at a
/// time: what is done here blocks for the disk, and nobody else works in the folder meanwhile.
package struct ModelCache {
    enum Folder: String, CaseIterable {
        case objects, partial, notes, serving, trying, temporary

        /// Workers of other users read what they serve.
        var permissions: UInt32 {
            switch self {
            case .objects, .serving: 0o755
            case .partial, .notes, .trying, .temporary: 0o700
            }
        }
    }

    package struct Model: Equatable, Sendable {
        package var sha256: String
        package var length: Int
        package var note: ModelNote
        /// That serve it, or are to: WORKER/MODEL.
        package var users: [String]
    }

    let files: any StoreFiles
    package let budget: Int

    /// Of the file system, at least.
    private static let leastFree = 64 << 20
    private static let longestName = 64
    private static let longestNote = 4096

    /// Opens the cache, and takes away what was left half done.
    /// - Parameter budget: in bytes, of models and what is fetched of them.
    package init(_ files: some StoreFiles, budget: Int) throws(ModelCacheError) {
        self.files = files
        self.budget = budget
        try ModelCacheError.system { () throws(SystemError) in
            for folder in Folder.allCases where try files.status(folder.rawValue) == nil {
                try files.makeFolder(folder.rawValue, permissions: folder.permissions)
            }
            for name in try files.names(in: Folder.temporary.rawValue) {
                try files.remove(Self.path(.temporary, name))
            }
            // A power cut can leave both names.
            for name in try files.names(in: Folder.partial.rawValue)
            where try files.status(Self.path(.objects, name)) != nil {
                try files.remove(Self.path(.partial, name))
            }
            for name in try files.names(in: Folder.notes.rawValue)
            where try files.status(Self.path(.objects, name)) == nil {
                try files.remove(Self.path(.notes, name))
            }
        }
    }

    static func path(_ folder: Folder, _ names: String...) -> String {
        ([folder.rawValue] + names).joined(separator: "/")
    }

    /// Absolute.
    package func place(of sha256: String) -> String { "\(files.root)/\(Self.path(.objects, sha256))" }

    /// Absolute.
    package func partialPlace(of sha256: String) -> String { "\(files.root)/\(Self.path(.partial, sha256))" }

    static func check(digest: String) throws(ModelCacheError) {
        guard SHA256Digest(hex: digest) != nil else {
            throw ModelCacheError(.invalid, "'\(digest)' is no SHA-256: 64 digits of 0-9 and a-f")
        }
    }

    static func check(name: String) throws(ModelCacheError) {
        let isGood = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || [0x2d, 0x2e, 0x5f].contains(byte)
        }
        guard isGood, (1...longestName).contains(name.utf8.count), name.utf8.first != UInt8(ascii: ".") else {
            throw ModelCacheError(
                .invalid,
                "'\(name)' is no name: letters, digits, '.', '-' and '_', at most \(longestName), not beginning with '.'"
            )
        }
    }

    // MARK: What is there

    package func has(_ sha256: String) throws(ModelCacheError) -> Bool {
        try Self.check(digest: sha256)
        return try status(.objects, sha256) != nil
    }

    private func status(_ folder: Folder, _ name: String) throws(ModelCacheError) -> StoreEntry? {
        try ModelCacheError.system { () throws(SystemError) in try files.status(Self.path(folder, name)) }
    }

    /// What cannot be read counts as none: a model without a note is the first to go, and nothing worse.
    func note(of sha256: String) -> ModelNote {
        var bytes: [UInt8] = []
        let isThere = try? files.read(Self.path(.notes, sha256)) { piece in
            if bytes.count <= Self.longestNote { bytes += piece.prefix(Self.longestNote) }
        }
        guard isThere ?? false, let json = try? JSONValue.parse(bytes) else { return ModelNote() }
        return (try? ModelNote(json: json)) ?? ModelNote()
    }

    /// All models, by their hashes.
    package func models() throws(ModelCacheError) -> [Model] {
        let users = try self.users()
        return try ModelCacheError.system { () throws(SystemError) in
            var models: [Model] = []
            for name in try files.names(in: Folder.objects.rawValue).sorted() {
                guard let status = try files.status(Self.path(.objects, name)), status.kind == .regular else {
                    continue
                }
                models.append(
                    Model(
                        sha256: name, length: status.size, note: note(of: name),
                        users: Array(users[name] ?? []).sorted()))
            }
            return models
        }
    }

    /// With what is fetched of models, in bytes.
    package func usedSize() throws(ModelCacheError) -> Int {
        try models().reduce(0) { $0 + $1.length } + partials().reduce(0) { $0 + $1.size }
    }

    private func partials() throws(ModelCacheError) -> [(name: String, size: Int)] {
        try ModelCacheError.system { () throws(SystemError) in
            var partials: [(name: String, size: Int)] = []
            for name in try files.names(in: Folder.partial.rawValue) {
                partials.append((name, try files.status(Self.path(.partial, name))?.size ?? 0))
            }
            return partials
        }
    }

    // MARK: Room

    /// Makes sure that a model fits, and lets others go for it that may. What is there of it already counts.
    package func makeRoom(for sha256: String, length: Int, priority: Int) throws(ModelCacheError) {
        try Self.check(digest: sha256)
        let models = try models()
        var others = try partials().filter { $0.name != sha256 }
        let present = min(length, try status(.partial, sha256)?.size ?? 0)
        let available = try ModelCacheError.system { () throws(SystemError) in try files.available() }
        let used = models.reduce(0) { $0 + $1.length }
        var freed = 0
        func missing() -> Int {
            let partial = others.reduce(0) { $0 + $1.size }
            return max(used + partial + length - budget, length - present + Self.leastFree - available.bytes - freed)
        }
        guard length <= budget else {
            throw ModelCacheError(.noSpace, "it has \(length) bytes, and all models together may have \(budget)")
        }
        // What was begun and not finished is worth the least.
        var abandoned: [String] = []
        while missing() > 0, let last = others.popLast() {
            abandoned.append(last.name)
            freed += last.size
        }
        let plan = EvictionPlan(
            models.map { model in
                EvictionPlan.Candidate(
                    model.sha256, size: model.length, priority: model.note.priority, turn: model.note.turn,
                    isHeld: model.note.isPinned || !model.users.isEmpty)
            }, missing: missing(), for: priority)
        guard let plan else {
            throw ModelCacheError(
                .noSpace,
                "there is no room for \(length) bytes: \(used) of \(budget) are in use, \(available.bytes) are free, and the others "
                    + "are pinned, in use, or of a higher priority")
        }
        try ModelCacheError.system { () throws(SystemError) in
            for name in abandoned { try files.remove(Self.path(.partial, name)) }
        }
        for name in plan.evicted { try remove(name) }
        // An earlier try may have come as far as this.
        try ModelCacheError.system { () throws(SystemError) in
            if present > 0 { try files.changeMode(Self.path(.partial, sha256), to: 0o600) }
        }
    }

    private func remove(_ sha256: String) throws(ModelCacheError) {
        try ModelCacheError.system { () throws(SystemError) in
            try files.remove(Self.path(.objects, sha256))
            if try files.status(Self.path(.notes, sha256)) != nil { try files.remove(Self.path(.notes, sha256)) }
        }
    }

    // MARK: What has come

    /// Gives what was fetched its name, when it is what it should be; otherwise it goes.
    package func adopt(_ sha256: String, length: Int, priority: Int) throws(ModelCacheError) {
        try Self.check(digest: sha256)
        let partial = Self.path(.partial, sha256)
        try ModelCacheError.system { () throws(SystemError) in
            guard try files.status(partial) != nil else { return }
            try files.changeMode(partial, to: 0o444)
            // Before it is read, so that it is read from the disk.
            try files.syncAll()
        }
        guard try isRight(partial, sha256, length: length) else {
            try ModelCacheError.system { () throws(SystemError) in
                if try files.status(partial) != nil { try files.remove(partial) }
            }
            throw ModelCacheError(.damaged, "what came is not \(sha256) of \(length) bytes")
        }
        try ModelCacheError.system { () throws(SystemError) in
            try files.rename(partial, to: Self.path(.objects, sha256))
            try files.syncFolder(Folder.objects.rawValue)
        }
        try use(sha256) { $0.priority = priority }
    }

    /// Whether the disk has every byte of it.
    /// - Parameter length: `nil` where nobody has said.
    private func isRight(_ path: String, _ sha256: String, length: Int?) throws(ModelCacheError) -> Bool {
        do {
            let hasher = try SHA256Hasher()
            var count = 0
            var trouble: TrustError?
            let isThere = try files.read(path) { piece in
                count += piece.count
                do throws(TrustError) { try hasher.add(piece) } catch { trouble = error }
            }
            if let trouble { throw trouble }
            return try isThere && (length == nil || count == length) && hasher.finish().hex == sha256
        } catch let error as SystemError {
            throw ModelCacheError(error)
        } catch {
            throw ModelCacheError(.system, "\(error)")
        }
    }

    /// Makes sure that the disk still has what it had. Where it has not, and nobody serves it, it goes.
    package func verify(_ sha256: String) throws(ModelCacheError) {
        guard try has(sha256) else { throw ModelCacheError(.missing, "there is no model \(sha256) in the cache") }
        guard try !isRight(Self.path(.objects, sha256), sha256, length: nil) else { return }
        if try users()[sha256] == nil { try remove(sha256) }
        throw ModelCacheError(.damaged, "the model \(sha256) is damaged on the disk")
    }

    // MARK: Notes

    /// It is used now, or something of it is changed.
    package func use(_ sha256: String, _ change: (inout ModelNote) -> Void = { _ in }) throws(ModelCacheError) {
        guard try has(sha256) else { throw ModelCacheError(.missing, "there is no model \(sha256) in the cache") }
        var new = note(of: sha256)
        new.turn = try models().map(\.note.turn).max().map { $0 + 1 } ?? 1
        change(&new)
        let note = new
        try ModelCacheError.system { () throws(SystemError) in
            let temporary = Self.path(.temporary, sha256)
            let bytes = note.json.serialised()
            if try files.status(temporary) != nil { try files.remove(temporary) }
            try files.create(temporary, size: bytes.count)
            let result = bytes.withUnsafeBytes { bytes in
                Result { () throws(SystemError) in try files.append(bytes) }
            }
            try result.get()
            try files.close(permissions: 0o600)
            try files.syncAll()
            try files.rename(temporary, to: Self.path(.notes, sha256))
            try files.syncFolder(Folder.notes.rawValue)
        }
    }
}
