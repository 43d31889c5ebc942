import BundleStore
import ControlProtocol
import LinuxSystem
import Synchronization

#if DEBUG
    /// A store's folder in which the process dies at a call, or a call fails, once: for `holdfast selftest crash-matrix`. What is
    /// wanted stands in a file among the downloads, which the first keeper that finds it takes away.
    final class FaultyFiles: StoreFiles {
        /// What is to happen, as one line of the file: `kill-before N`, `kill-after N`, `fail N ERRNO`, `kill-at STATE`, or `count`,
        /// which writes the name of each call to a file.
        struct Plan: Sendable {
            fileprivate enum Trouble: Equatable, Sendable {
                case killBefore(Int)
                case killAfter(Int)
                case fail(Int, errno: Int32)
                case killAt(String)
                case count(String)
            }

            fileprivate let trouble: Trouble

            static let suffix = "/downloads/fault"
            static let callsSuffix = "/downloads/calls"

            /// Takes the plan for a store, if there is one.
            static func take(for store: String) -> Plan? {
                guard let text = try? SystemCall.readFile(store + suffix, limit: 256) else { return nil }
                try? SystemCall.removeFile(store + suffix)
                let words = String(decoding: text, as: UTF8.self).split { $0 == " " || $0 == "\n" }.map(String.init)
                let numbers = words.dropFirst().map { Int($0) }
                switch (words.first, numbers.first ?? nil, numbers.last ?? nil) {
                case ("kill-before", let call?, _): return Plan(trouble: .killBefore(call))
                case ("kill-after", let call?, _): return Plan(trouble: .killAfter(call))
                case ("fail", let call?, let errno?): return Plan(trouble: .fail(call, errno: Int32(errno)))
                case ("kill-at", _, _): return words.last.map { Plan(trouble: .killAt($0)) }
                case ("count", _, _): return Plan(trouble: .count(store + callsSuffix))
                default: return nil
                }
            }

            /// To be called when a state is on disk.
            func reached(_ state: DeploymentReport.State) {
                if trouble == .killAt(state.rawValue) { FaultyFiles.die() }
            }
        }

        private let files: any StoreFiles
        private let plan: Plan
        /// Of all folders of the process: two threads work in the store.
        private static let calls = Atomic<Int>(0)

        init(_ files: any StoreFiles, _ plan: Plan) {
            self.files = files
            self.plan = plan
        }

        static func die() -> Never {
            while true { Orphans.kill(SystemCall.processID()) }
        }

        private func change<Value>(_ name: String, _ body: () throws(SystemError) -> Value) throws(SystemError) -> Value
        {
            let number = Self.calls.add(1, ordering: .relaxed).newValue
            switch plan.trouble {
            case .killBefore(number): Self.die()
            case .fail(number, let errno): throw SystemError(call: name, errno: errno)
            case .count(let path): Self.note(name, in: path)
            default: break
            }
            let value = try body()
            if plan.trouble == .killAfter(number) { Self.die() }
            return value
        }

        private static func note(_ name: String, in path: String) {
            guard let file = try? SystemCall.open(path, [.writeOnly, .create, .append], permissions: 0o644) else {
                return
            }
            _ = try? SystemCall.write(file.rawValue, Array("\(name)\n".utf8))
        }

        // MARK: StoreFiles

        var root: String { files.root }

        func names(in folder: String) throws(SystemError) -> [String] { try files.names(in: folder) }
        func status(_ path: String) throws(SystemError) -> StoreEntry? { try files.status(path) }
        func target(ofLink path: String) throws(SystemError) -> String { try files.target(ofLink: path) }
        func read(_ path: String, _ visit: (UnsafeRawBufferPointer) -> Void) throws(SystemError) -> Bool {
            try files.read(path, visit)
        }
        func available() throws(SystemError) -> (bytes: Int, files: Int?) { try files.available() }

        func makeFolder(_ path: String, permissions: UInt32) throws(SystemError) {
            try change("mkdir") { () throws(SystemError) in try files.makeFolder(path, permissions: permissions) }
        }
        func create(_ path: String, size: Int) throws(SystemError) {
            try change("create") { () throws(SystemError) in try files.create(path, size: size) }
        }
        func append(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
            try change("write") { () throws(SystemError) in try files.append(bytes) }
        }
        func synchronize() throws(SystemError) {
            try change("fsync") { () throws(SystemError) in try files.synchronize() }
        }
        func close(permissions: UInt32) throws(SystemError) {
            try change("fchmod") { () throws(SystemError) in try files.close(permissions: permissions) }
        }
        func reserve(_ path: String, size: Int) throws(SystemError) {
            try change("fallocate") { () throws(SystemError) in try files.reserve(path, size: size) }
        }
        func cut(_ path: String, to size: Int) throws(SystemError) {
            try change("ftruncate") { () throws(SystemError) in try files.cut(path, to: size) }
        }
        func changeMode(_ path: String, to permissions: UInt32) throws(SystemError) {
            try change("fchmodat") { () throws(SystemError) in try files.changeMode(path, to: permissions) }
        }
        func link(_ path: String, to other: String) throws(SystemError) {
            try change("link") { () throws(SystemError) in try files.link(path, to: other) }
        }
        func makeLink(_ path: String, target: String) throws(SystemError) {
            try change("symlink") { () throws(SystemError) in try files.makeLink(path, target: target) }
        }
        func rename(_ path: String, to other: String) throws(SystemError) {
            try change("rename") { () throws(SystemError) in try files.rename(path, to: other) }
        }
        func remove(_ path: String) throws(SystemError) {
            try change("unlink") { () throws(SystemError) in try files.remove(path) }
        }
        func removeFolder(_ path: String) throws(SystemError) {
            try change("rmdir") { () throws(SystemError) in try files.removeFolder(path) }
        }
        func syncAll() throws(SystemError) {
            try change("syncfs") { () throws(SystemError) in try files.syncAll() }
        }
        func syncFolder(_ path: String) throws(SystemError) {
            try change("fsync-folder") { () throws(SystemError) in try files.syncFolder(path) }
        }
    }
#endif

/// What is to go wrong in the store, on purpose: nothing but in debug builds, and there only where it was asked for.
struct StoreFaults: Sendable {
    #if DEBUG
        private let plan: FaultyFiles.Plan?

        init(_ store: String) { plan = FaultyFiles.Plan.take(for: store) }

        func wrap(_ files: any StoreFiles) -> any StoreFiles { plan.map { FaultyFiles(files, $0) } ?? files }
        func reached(_ state: DeploymentReport.State) { plan?.reached(state) }
    #else
        init(_ store: String) {}

        func wrap(_ files: any StoreFiles) -> any StoreFiles { files }
        func reached(_ state: DeploymentReport.State) {}
    #endif
}
