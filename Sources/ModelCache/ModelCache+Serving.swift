import BundleStore
import LinuxSystem

/// Which models workers serve.
extension ModelCache {
    /// Who serves which content, or is to: WORKER/MODEL, by the hash.
    func users() throws(ModelCacheError) -> [String: Set<String>] {
        try ModelCacheError.system { () throws(SystemError) in
            var users: [String: Set<String>] = [:]
            for folder in [Folder.serving, .trying] {
                for worker in try files.names(in: folder.rawValue) {
                    for model in try files.names(in: Self.path(folder, worker)) {
                        guard let digest = try target(Self.path(folder, worker, model)) else { continue }
                        users[digest, default: []].insert("\(worker)/\(model)")
                    }
                }
            }
            return users
        }
    }

    /// The hash that a link names.
    private func target(_ path: String) throws(SystemError) -> String? {
        guard try files.status(path)?.kind == .symbolicLink else { return nil }
        return try files.target(ofLink: path).split(separator: "/").last.map { String($0) }
    }

    /// The hash of what a worker serves; `nil` when it serves no such model.
    package func serving(_ worker: String, _ model: String) throws(ModelCacheError) -> String? {
        try Self.check(name: worker)
        try Self.check(name: model)
        return try ModelCacheError.system { () throws(SystemError) in
            try target(Self.path(.serving, worker, model))
        }
    }

    /// The hash of what a worker is to serve.
    package func staged(_ worker: String, _ model: String) throws(ModelCacheError) -> String? {
        try Self.check(name: worker)
        try Self.check(name: model)
        return try ModelCacheError.system { () throws(SystemError) in
            try target(Self.path(.trying, worker, model))
        }
    }

    /// Holds on to a model that a worker is to try. What the disk has of it is read and hashed.
    package func stage(_ worker: String, _ model: String, _ sha256: String) throws(ModelCacheError) {
        try Self.check(name: worker)
        try Self.check(name: model)
        try verify(sha256)
        try use(sha256)
        try setLink(.trying, worker, model, sha256)
    }

    /// What was staged has proved itself: it is served from now on.
    package func commit(_ worker: String, _ model: String) throws(ModelCacheError) {
        guard let sha256 = try staged(worker, model) else {
            throw ModelCacheError(.notStaged, "nothing is staged for \(worker)/\(model)")
        }
        try setLink(.serving, worker, model, sha256)
        try discard(worker, model)
    }

    /// What was staged is not to be served. Of no effect where nothing is.
    package func discard(_ worker: String, _ model: String) throws(ModelCacheError) {
        guard try staged(worker, model) != nil else { return }
        try removeLink(.trying, worker, model)
    }

    /// It is served no more. Of no effect where it is not.
    package func release(_ worker: String, _ model: String) throws(ModelCacheError) {
        guard try serving(worker, model) != nil else { return }
        try removeLink(.serving, worker, model)
    }

    /// By one rename(2), so that there is always the one or the other.
    private func setLink(
        _ folder: Folder, _ worker: String, _ model: String, _ sha256: String
    ) throws(ModelCacheError) {
        try ModelCacheError.system { () throws(SystemError) in
            let parent = Self.path(folder, worker)
            if try files.status(parent) == nil {
                try files.makeFolder(parent, permissions: folder.permissions)
                try files.syncFolder(folder.rawValue)
            }
            let temporary = Self.path(.temporary, "link")
            if try files.status(temporary) != nil { try files.remove(temporary) }
            try files.makeLink(temporary, target: "../../\(Folder.objects.rawValue)/\(sha256)")
            try files.rename(temporary, to: Self.path(folder, worker, model))
            try files.syncFolder(parent)
        }
    }

    private func removeLink(_ folder: Folder, _ worker: String, _ model: String) throws(ModelCacheError) {
        try ModelCacheError.system { () throws(SystemError) in
            let parent = Self.path(folder, worker)
            try files.remove(Self.path(folder, worker, model))
            try files.syncFolder(parent)
        }
    }
}
