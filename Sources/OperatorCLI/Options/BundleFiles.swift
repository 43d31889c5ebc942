import BundleFormat
import BundleStore
import LinuxSystem
import Trust

/// Files that the commands about bundles read and write, and what their failures are called.
enum BundleFiles {
    static let defaultRoot = "/etc/holdfast/trust/root.json"
    static let defaultStore = "/var/lib/holdfast/bundles"
    static let targetsName = "targets.json"

    /// Beside an archive.
    static func targets(beside archive: String) -> String {
        guard let slash = archive.lastIndex(of: "/") else { return targetsName }
        return "\(archive[...slash])\(targetsName)"
    }

    static func name(of path: String) -> String {
        String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
    }

    static func read(_ path: String, limit: Int) throws(CommandError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try SystemCall.readFile(path, limit: limit + 1)
        } catch {
            throw CommandError(code: error.bundleCode, message: "\(path) cannot be read: \(error.message)")
        }
        guard bytes.count <= limit else {
            throw CommandError(code: .failed, message: "\(path) has more than \(limit) bytes")
        }
        return bytes
    }

    /// Runs the body with an open archive.
    static func withFile<Value>(
        _ path: String, _ body: (Int32) throws(BundleError) -> Value
    ) throws(CommandError) -> Value {
        let file: SharedDescriptor
        do throws(SystemError) {
            file = SharedDescriptor(try SystemCall.open(path, .readOnly))
        } catch {
            throw CommandError(code: error.bundleCode, message: "\(path) cannot be opened: \(error.message)")
        }
        guard let number = file.rawValue else { throw CommandError(code: .failed, message: "\(path) is closed") }
        return try about(path) { () throws(BundleError) in try body(number) }
    }

    /// Writes a file beside its place and moves it there: whoever reads sees all of it or what was there before.
    /// - Parameter replaces: whether one that is there goes.
    static func write(
        _ path: String, permissions: UInt32 = 0o644, replaces: Bool = true, _ body: (Int32) throws(BundleError) -> Void
    ) throws(CommandError) {
        if !replaces, (try? SystemCall.status(of: path, followingLinks: false)) != nil {
            throw CommandError(code: .failed, message: "\(path) is already there; nothing was changed")
        }
        let partial = "\(path).part"
        do throws(BundleError) {
            let file = try BundleError.system { () throws(SystemError) in
                try SystemCall.open(partial, [.writeOnly, .create, .truncate, .noFollow], permissions: permissions)
            }
            try body(file.rawValue)
            try BundleError.system { () throws(SystemError) in
                try SystemCall.synchronize(file.rawValue)
                try SystemCall.rename(partial, to: path)
            }
        } catch {
            try? SystemCall.removeFile(partial)
            throw CommandError(error, about: path)
        }
    }

    static func write(
        _ path: String, _ bytes: [UInt8], permissions: UInt32 = 0o644, replaces: Bool = true
    ) throws(CommandError) {
        try write(path, permissions: permissions, replaces: replaces) { (descriptor) throws(BundleError) in
            try BundleError.system { () throws(SystemError) in
                var rest = bytes[...]
                while !rest.isEmpty {
                    // A regular file never has one wait.
                    guard case .done(let count) = try SystemCall.write(descriptor, Array(rest)) else { continue }
                    rest = rest.dropFirst(count)
                }
            }
        }
    }

    static func about<Value>(
        _ subject: String, _ body: () throws(BundleError) -> Value
    ) throws(CommandError) -> Value {
        do throws(BundleError) { return try body() } catch { throw CommandError(error, about: subject) }
    }

    static func trust<Value>(
        _ subject: String, _ body: () throws(TrustError) -> Value
    ) throws(CommandError) -> Value {
        do throws(TrustError) {
            return try body()
        } catch {
            throw CommandError(BundleError(error), about: subject)
        }
    }

    // MARK: Stores

    /// A store to change, made when there is none.
    static func open(_ path: String) throws(CommandError) -> BundleStore {
        // What root makes in another's store, that one could never remove.
        if let owner = (try? SystemCall.status(of: path))?.uid, owner != SystemCall.effectiveUserID() {
            throw CommandError(
                code: .notPermitted,
                message:
                    "\(path) belongs to the user \(owner), who alone changes it: use sudo -u '#\(owner)' holdfast ...")
        }
        let folder: StoreFolder
        do throws(SystemError) {
            let here = path.hasPrefix("/") ? path : "\(try SystemCall.currentDirectory())/\(path)"
            folder = try StoreFolder(here)
        } catch {
            let reason =
                error.isLockedByAnother
                ? "is in use by process \(DirectoryLock.holder(of: path) ?? "?"); try again when it is done"
                : "cannot be opened: \(error.message)"
            throw CommandError(code: error.bundleCode, message: "\(path) \(reason)")
        }
        return try about(path) { () throws(BundleError) in try BundleStore(folder) }
    }

    /// A store to look into.
    static func inspect(_ path: String) throws(CommandError) -> BundleStore {
        do throws(SystemError) {
            return BundleStore(inspecting: try StoreFolder(reading: path))
        } catch {
            throw CommandError(code: error.bundleCode, message: "\(path) cannot be read: \(error.message)")
        }
    }
}

extension SystemError {
    var bundleCode: CommandError.Code { isPermissionDenied ? .notPermitted : .failed }
}

extension CommandError {
    /// A bundle's own codes are stable, too.
    init(_ error: BundleError, about subject: String) {
        let code =
            error.cause?.isPermissionDenied ?? false
            ? .notPermitted : Code(rawValue: error.code.rawValue, exitStatus: 1)
        self.init(
            code: code, message: "\(subject): \(error.message)".escapedForTerminal,
            details: error.problems.map(\.escapedForTerminal))
    }
}
