package import LinuxSystem

/// Where the bundle store of a device is, and what of it is configuration: the part of the tree that each current version
/// brings (docs/bundle-store.md).
package enum BundleFolder {
    /// Who keeps the store.
    package static let owner = "holdfast-executor"

    /// Stands in what a bundle says for the folder of its files.
    package static let placeholder = "{bundle}"

    package static func path(in stateDirectory: String) -> String { "\(stateDirectory)/bundles" }

    /// VERSION@HASH; `nil` when there is none.
    package static func current(of bundle: String, in folder: String) -> String? {
        (try? SystemCall.linkTarget("\(folder)/\(bundle)/current"))?.split(separator: "/").last.map { String($0) }
    }

    /// Where the files of a bundle's current version are.
    package static func files(of bundle: String, in folder: String) -> String {
        let link = "\(folder)/\(bundle)/current"
        // Programs that ask where they are get the version's own folder, as those in the tree do.
        guard let target = try? SystemCall.linkTarget(link) else { return "\(link)/files" }
        return "\(folder)/\(bundle)/\(target)/files"
    }

    /// What is in a store besides bundles.
    private static let others: Set<String> = ["objects", "staging", "downloads", "lock"]

    /// The names of what may be bundles; none where there is no store.
    package static func bundles(in folder: String) throws(SystemError) -> [String] {
        do throws(SystemError) {
            return try SystemCall.names(inDirectory: folder).filter {
                !others.contains($0) && ChildName.isWellFormed($0)
            }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        } catch {
            guard error.isNotFound else { throw error }
            return []
        }
    }
}

/// A bundle's part of the configuration.
struct BundleSource {
    let name: String
    /// The path by which problems name it, whatever `current` leads to.
    let file: String
    /// VERSION@HASH, where `current` leads to one.
    var version: String?
    /// `nil` when it cannot be used, which `problem` explains.
    var source: ParsedSource?
    var problem: ConfigurationProblem?
}

/// Reads the bundles' files. Nobody but root and the store's keeper may have written them: what stands there is started
/// as any user.
struct BundleSourceReader {
    private static let file = "tree.toml"
    private static let link = "current"
    private static let versions = "versions"

    private let folder: String
    private let owners: Set<UInt32>
    private var total = 0

    /// Why none of them can be read.
    private(set) var problem: ConfigurationProblem?
    /// In the order of their names; those without a current version are not there.
    private(set) var sources: [BundleSource] = []

    init(_ folder: String) {
        self.folder = folder
        guard let status = try? SystemCall.status(of: folder, followingLinks: false) else {
            owners = []
            return
        }
        var owners: Set<UInt32> = [0, SystemCall.effectiveUserID()]
        if let keeper = try? AccountDatabase.user(named: BundleFolder.owner) { owners.insert(keeper.uid) }
        self.owners = owners
        do throws(Objection) {
            try judge(status, .directory)
            try readAll()
        } catch {
            problem = ConfigurationProblem(kind: .file, file: folder, message: error.message, allowed: error.allowed)
        }
    }

    private struct Objection: Error {
        var message: String
        var allowed: String?
    }

    private mutating func readAll() throws(Objection) {
        let names: [String]
        let directory: Descriptor
        do throws(SystemError) {
            names = try BundleFolder.bundles(in: folder)
            directory = try SystemCall.open(folder, [.readOnly, .directory, .noFollow])
        } catch {
            throw Objection(message: "cannot be read: \(error.message)")
        }
        for name in names {
            var source = BundleSource(name: name, file: "\(folder)/\(name)/\(Self.link)/\(Self.file)")
            do throws(Objection) {
                guard sources.count < ConfigurationFiles.mostFiles else {
                    throw Objection(
                        message: "is one bundle too many", allowed: "at most \(ConfigurationFiles.mostFiles)")
                }
                guard let bytes = try read(&source, in: directory.rawValue) else { continue }
                source.source = ParsedSource(ConfigurationSource(file: source.file, bytes: bytes), bundle: name)
            } catch {
                source.problem = ConfigurationProblem(
                    kind: .file, file: source.file, message: error.message, allowed: error.allowed)
            }
            sources.append(source)
        }
    }

    /// - Returns: `nil` when the bundle has no current version.
    private mutating func read(_ source: inout BundleSource, in directory: Int32) throws(Objection) -> [UInt8]? {
        let entry = try status(source.name, in: directory)
        // Something of the store's keeper, or lost+found.
        guard entry?.kind == .directory else { return nil }
        let bundle = try open(source.name, in: directory)
        guard let link = try status(Self.link, in: bundle.rawValue) else { return nil }
        guard link.kind == .symbolicLink else {
            throw Objection(message: "its folder \(Self.link) is no link to a version")
        }
        let target: String
        do throws(SystemError) {
            target = try SystemCall.linkTarget(Self.link, in: bundle.rawValue)
        } catch {
            throw Objection(message: "\(Self.link) cannot be read: \(error.message)")
        }
        let version = String(target.dropFirst(Self.versions.utf8.count + 1))
        guard target == "\(Self.versions)/\(version)", !version.isEmpty, !version.contains("/"), version != "..",
            version != "."
        else {
            throw Objection(message: "\(Self.link) leads to \(target.quoted)", allowed: "a version of the bundle")
        }
        source.version = version
        let versions = try open(Self.versions, in: bundle.rawValue)
        let folder = try open(version, in: versions.rawValue)
        guard let status = try status(Self.file, in: folder.rawValue) else {
            throw Objection(message: "does not exist")
        }
        try judge(status, .regular)
        guard status.size <= Configuration.largestFile, total + Int(status.size) <= ConfigurationFiles.largestTotal
        else {
            throw Objection(
                message: "has \(status.size) bytes",
                allowed: "at most \(Configuration.largestFile), and \(ConfigurationFiles.largestTotal) of all bundles")
        }
        do throws(SystemError) {
            let bytes = try SystemCall.readFile(Self.file, limit: Configuration.largestFile, in: folder.rawValue)
            total += bytes.count
            return bytes
        } catch {
            throw Objection(message: "cannot be read: \(error.message)")
        }
    }

    private func open(_ name: String, in directory: Int32) throws(Objection) -> Descriptor {
        let folder: Descriptor
        do throws(SystemError) {
            folder = try SystemCall.open(name, [.readOnly, .directory, .noFollow], in: directory)
        } catch {
            throw Objection(message: "its folder \(name.quoted) cannot be opened: \(error.message)")
        }
        do throws(Objection) {
            guard let status = try? SystemCall.status(folder.rawValue) else {
                throw Objection(message: "cannot be examined")
            }
            try judge(status, .directory)
        } catch {
            throw Objection(message: "its folder \(name.quoted) \(error.message)", allowed: error.allowed)
        }
        return folder
    }

    private func status(_ name: String, in directory: Int32) throws(Objection) -> FileStatus? {
        do throws(SystemError) {
            return try SystemCall.status(of: name, followingLinks: false, in: directory)
        } catch {
            guard error.isNotFound else {
                throw Objection(message: "\(name.quoted) cannot be examined: \(error.message)")
            }
            return nil
        }
    }

    private func judge(_ status: FileStatus, _ kind: FileStatus.Kind) throws(Objection) {
        guard status.kind == kind else {
            throw Objection(
                message: "is \(ConfigurationFiles.words(status.kind))", allowed: ConfigurationFiles.words(kind))
        }
        guard owners.contains(status.uid) else {
            throw Objection(
                message: "belongs to the user \(status.uid)",
                allowed: "root, \(BundleFolder.owner), or whoever runs the runtime")
        }
        guard status.mode & 0o022 == 0 else {
            throw Objection(message: "can be written by others (chmod go-w)")
        }
    }
}
