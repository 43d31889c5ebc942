package import BundleStore
package import LinuxSystem

/// A store's folder that stops at any call, fails it, fills up, and loses what was not synced when the power goes.
package final class SimulatedStore: StoreFiles {
    package enum Failure: Equatable {
        /// The process or the machine stops there; the call has been made, or it has not.
        case stop(isDone: Bool)
        case error(Int32)
    }

    private final class Node {
        var kind: FileStatus.Kind
        var mode: UInt32
        var content: [UInt8] = []
        /// What a power cut leaves of the content.
        var durable: [UInt8] = []
        var entries: [String: Node] = [:]
        var durableEntries: [String: Node] = [:]
        var target = ""
        /// How many names it has.
        var links = 0

        init(_ kind: FileStatus.Kind, mode: UInt32) {
            self.kind = kind
            self.mode = mode
        }
    }

    package let root = "/store"
    /// A folder has one place: a power cut leaves it in the old one or in the new one (any journal does that much).
    private struct Move {
        var node: Node
        var from: Node
        var name: String
        var to: Node
        var newName: String
    }

    private var top = Node(.directory, mode: 0o755)
    /// Folders whose new place was not synced.
    private var moves: [Move] = []
    private var open: Node?
    private var random: any RandomNumberGenerator
    /// Calls that change something, so far, by name.
    package private(set) var calls: [String] = []
    /// What the call with this number does, counted from 1.
    package var failures: [Int: Failure] = [:]
    package private(set) var hasStopped = false
    package var freeBytes = 1 << 30
    package var freeFiles = 1 << 20

    package init(random: some RandomNumberGenerator) { self.random = random }

    // MARK: Trouble

    private func perform<Value>(_ call: String, _ body: () throws(SystemError) -> Value) throws(SystemError) -> Value {
        guard !hasStopped else { throw SystemError(call: call, errno: 5) }
        calls.append(call)
        switch failures[calls.count] {
        case nil: return try body()
        case .error(let errno): throw SystemError(call: call, errno: errno)
        case .stop(let isDone):
            if isDone { _ = try body() }
            hasStopped = true
            throw SystemError(call: call, errno: 5)
        }
    }

    /// The process is gone, the machine is not.
    package func restartProcess() {
        (hasStopped, failures, open) = (false, [:], nil)
    }

    /// Of what was not synced some is there, some is not.
    package func cutPower() {
        restartProcess()
        for move in moves.reversed() where Bool.random(using: &random) {
            move.from.entries[move.name] = move.node
            move.to.entries[move.newName] = nil
            (move.from.durableEntries[move.name], move.to.durableEntries[move.newName]) = (move.node, nil)
        }
        settleMoves { _ in true }
        survive(top)
        count(top)
    }

    private func settleMoves(_ isSettled: (Move) -> Bool) {
        for move in moves where isSettled(move) && move.to.entries[move.newName] === move.node {
            move.from.durableEntries[move.name] = nil
            move.to.durableEntries[move.newName] = move.node
        }
        moves.removeAll(where: isSettled)
    }

    /// Counts the names anew.
    private func count(_ folder: Node) {
        func forget(_ node: Node) {
            node.links = 0
            node.entries.values.forEach(forget)
        }
        func add(_ node: Node) {
            node.links += 1
            node.entries.values.forEach(add)
        }
        forget(folder)
        folder.entries.values.forEach(add)
    }

    private func survive(_ node: Node) {
        guard node.kind == .directory else {
            guard node.content != node.durable else { return }
            // Of an unwritten file often only the length is there.
            switch Int.random(in: 0..<3, using: &random) {
            case 0: node.content = node.durable
            case 1: node.content = Array(node.content.prefix(Int.random(in: 0...node.content.count, using: &random)))
            default: node.content = [UInt8](repeating: 0, count: node.content.count)
            }
            node.durable = node.content
            return
        }
        let names = Set(node.entries.keys).union(node.durableEntries.keys).sorted()
        for name in names {
            let (now, durable) = (node.entries[name], node.durableEntries[name])
            if now !== durable, Bool.random(using: &random) { node.entries[name] = durable }
        }
        node.durableEntries = node.entries
        for (_, child) in node.entries.sorted(by: { $0.key < $1.key }) { survive(child) }
    }

    /// Flips a bit of a file, as a disk does.
    package func damage(_ path: String) {
        guard let node = find(path), !node.content.isEmpty else { return }
        node.content[node.content.count / 2] ^= 1
    }

    /// Of all files, each once.
    package var used: Int {
        var seen: Set<ObjectIdentifier> = []
        func size(_ node: Node) -> Int {
            guard seen.insert(ObjectIdentifier(node)).inserted else { return 0 }
            return node.content.count + node.entries.values.reduce(0) { $0 + size($1) }
        }
        return size(top)
    }

    // MARK: Nodes

    private func find(_ path: String) -> Node? {
        var node: Node? = top
        for part in path.split(separator: "/") { node = node?.entries[String(part)] }
        return node
    }

    private func split(_ path: String) -> (folder: String, name: String) {
        let parts = path.split(separator: "/")
        return (parts.dropLast().joined(separator: "/"), String(parts.last ?? ""))
    }

    private func missing(_ call: String, _ path: String) -> SystemError {
        SystemError(call: call, errno: SystemError.noSuchEntry, subject: path)
    }

    private func folder(_ path: String, _ call: String) throws(SystemError) -> (node: Node, name: String) {
        let (folder, name) = split(path)
        guard let node = find(folder), node.kind == .directory else { throw missing(call, path) }
        return (node, name)
    }

    private func add(_ node: Node, _ path: String, _ call: String) throws(SystemError) {
        let (folder, name) = try folder(path, call)
        guard folder.entries[name] == nil else { throw SystemError(call: call, errno: 17, subject: path) }
        folder.entries[name] = node
        node.links += 1
    }

    // MARK: StoreFiles

    package func names(in folder: String) throws(SystemError) -> [String] {
        guard !hasStopped, let node = find(folder) else { throw missing("opendir", folder) }
        return node.entries.keys.sorted()
    }

    package func status(_ path: String) throws(SystemError) -> StoreEntry? {
        guard !hasStopped else { throw SystemError(call: "stat", errno: 5) }
        guard let node = find(path) else { return nil }
        return StoreEntry(kind: node.kind, mode: node.mode, size: node.content.count, links: node.links)
    }

    package func target(ofLink path: String) throws(SystemError) -> String {
        guard !hasStopped, let node = find(path) else { throw missing("readlink", path) }
        return node.target
    }

    package func read(_ path: String, _ visit: (UnsafeRawBufferPointer) -> Void) throws(SystemError) -> Bool {
        guard !hasStopped else { throw SystemError(call: "openat", errno: 5) }
        guard let node = find(path) else { return false }
        node.content.withUnsafeBytes { visit($0) }
        return true
    }

    package func makeFolder(_ path: String, permissions: UInt32) throws(SystemError) {
        try perform("mkdir") { () throws(SystemError) in
            try add(Node(.directory, mode: permissions), path, "mkdir")
        }
    }

    package func create(_ path: String, size: Int) throws(SystemError) {
        try perform("create") { () throws(SystemError) in
            let node = Node(.regular, mode: 0o600)
            try add(node, path, "create")
            open = node
        }
    }

    package func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try perform("write") { open?.content += bytes }
    }

    package func synchronize() throws(SystemError) {
        try perform("fsync") {
            guard let open else { return }
            open.durable = open.content
        }
    }

    package func close(permissions: UInt32) throws(SystemError) {
        try perform("fchmod") {
            open?.mode = permissions
            open = nil
        }
    }

    package func reserve(_ path: String, size: Int) throws(SystemError) {
        try perform("fallocate") { () throws(SystemError) in
            try add(Node(.regular, mode: 0o600), path, "fallocate")
        }
    }

    package func cut(_ path: String, to size: Int) throws(SystemError) {
        try perform("ftruncate") {}
    }

    package func changeMode(_ path: String, to permissions: UInt32) throws(SystemError) {
        try perform("chmod") { () throws(SystemError) in
            guard let node = find(path) else { throw missing("chmod", path) }
            node.mode = permissions
        }
    }

    package func link(_ path: String, to other: String) throws(SystemError) {
        try perform("link") { () throws(SystemError) in
            guard let node = find(path) else { throw missing("link", path) }
            try add(node, other, "link")
        }
    }

    package func makeLink(_ path: String, target: String) throws(SystemError) {
        try perform("symlink") { () throws(SystemError) in
            let node = Node(.symbolicLink, mode: 0o777)
            node.target = target
            try add(node, path, "symlink")
        }
    }

    package func rename(_ path: String, to other: String) throws(SystemError) {
        try perform("rename") { () throws(SystemError) in
            let (from, name) = try folder(path, "rename")
            let (to, otherName) = try folder(other, "rename")
            guard let node = from.entries[name] else { throw missing("rename", path) }
            from.entries[name] = nil
            to.entries[otherName]?.links -= 1
            to.entries[otherName] = node
            if node.kind == .directory {
                moves.append(Move(node: node, from: from, name: name, to: to, newName: otherName))
            }
        }
    }

    package func remove(_ path: String) throws(SystemError) {
        try perform("unlink") { () throws(SystemError) in
            let (folder, name) = try folder(path, "unlink")
            guard let node = folder.entries[name] else { throw missing("unlink", path) }
            folder.entries[name] = nil
            node.links -= 1
        }
    }

    package func removeFolder(_ path: String) throws(SystemError) {
        try perform("rmdir") { () throws(SystemError) in
            let (folder, name) = try folder(path, "rmdir")
            guard let node = folder.entries[name] else { throw missing("rmdir", path) }
            guard node.entries.isEmpty else { throw SystemError(call: "rmdir", errno: 39, subject: path) }
            folder.entries[name] = nil
        }
    }

    package func syncAll() throws(SystemError) {
        try perform("syncfs") {
            moves = []
            settle(top)
        }
    }

    private func settle(_ node: Node) {
        node.durable = node.content
        node.durableEntries = node.entries
        for child in node.entries.values { settle(child) }
    }

    package func syncFolder(_ path: String) throws(SystemError) {
        try perform("fsync") { () throws(SystemError) in
            guard let node = find(path) else { throw missing("fsync", path) }
            settleMoves { $0.from === node || $0.to === node }
            node.durableEntries = node.entries
        }
    }

    package func available() throws(SystemError) -> (bytes: Int, files: Int?) { (freeBytes, freeFiles) }
}
