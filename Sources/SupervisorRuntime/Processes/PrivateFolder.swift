import LinuxSystem

/// A folder that belongs to one of Holdfast's own processes, with all that is in it: nobody else gets in (0700), or at least
/// nobody else writes there.
struct PrivateFolder {
    let path: String
    /// `nil` when there is none, which `warning` explains.
    let descriptor: SharedDescriptor?
    private(set) var warning: String?

    /// Far beyond what any of them has.
    private static let deepest = 64

    /// Whether it was removed since, or could not be made.
    var isGone: Bool {
        guard let number = descriptor?.rawValue, let status = try? SystemCall.status(number) else { return true }
        return status.links == 0
    }

    /// None, which somebody else explains.
    init(missing path: String) {
        self.path = path
        descriptor = nil
    }

    /// - Parameters:
    ///   - owner: who it is handed over to; `nil` to leave it as it is.
    ///   - permissions: other ones than 0700 are given to a folder that is there already, too.
    init(_ path: String, owner: SpawnRequest.Identity?, permissions: UInt32 = 0o700) {
        self.path = path
        do throws(SystemError) {
            try RuntimeDirectory.makeDirectories(path, permissions: permissions)
            let folder = try SystemCall.open(path, [.readOnly, .directory, .noFollow])
            if let owner, try SystemCall.status(folder.rawValue).uid != owner.uid {
                // What is in it first: up to here nobody else could put anything there.
                try Self.handOver(path, folder.rawValue, to: owner, depth: 0)
            }
            if permissions != 0o700, try SystemCall.status(folder.rawValue).mode != permissions {
                try SystemCall.changeMode(folder.rawValue, to: permissions)
            }
            descriptor = SharedDescriptor(folder)
        } catch {
            descriptor = nil
            warning = "\(path) cannot be used: \(error)"
        }
    }

    private static func handOver(
        _ path: String, _ folder: Int32, to owner: SpawnRequest.Identity, depth: Int
    ) throws(SystemError) {
        let place = try SystemCall.status(folder)
        let former = place.uid
        // What has a second name could be a file from anywhere, unless nobody but root could have put it there.
        let isTrusted = former == 0 && place.mode & 0o022 == 0
        for name in try SystemCall.names(inDirectory: path) {
            let file = try SystemCall.open(name, [.path, .noFollow], in: folder)
            let status = try SystemCall.status(file.rawValue)
            guard status.uid == former || status.uid == 0 else { continue }
            switch status.kind {
            case .directory where depth < deepest:
                let inner = try SystemCall.open(name, [.readOnly, .directory, .noFollow], in: folder)
                try handOver("\(path)/\(name)", inner.rawValue, to: owner, depth: depth + 1)
            case .regular where status.links == 1 || isTrusted:
                try SystemCall.changeOwner(of: file.rawValue, uid: owner.uid, gid: owner.gid)
            default: continue
            }
        }
        try SystemCall.changeOwner(of: folder, uid: owner.uid, gid: owner.gid)
    }

    /// The folder above it that this user may not pass through; `nil` when there is none.
    func obstacle(for identity: SpawnRequest.Identity) -> String? {
        var prefix = ""
        for component in path.split(separator: "/").dropLast() {
            prefix += "/\(component)"
            guard let status = try? SystemCall.status(of: prefix) else { continue }
            let right: UInt32 = status.uid == identity.uid ? 0o100 : status.gid == identity.gid ? 0o010 : 0o001
            if status.mode & right == 0 { return prefix }
        }
        return nil
    }
}
