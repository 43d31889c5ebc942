package import LinuxSystem

/// `[worker.sandbox]`: what a worker gives up of its own accord. Nothing unless it is asked for.
package struct WorkerSandbox: Equatable, Sendable {
    package var forbidsNewPrivileges = false
    package var readOnlyPaths: [String] = []
    /// What stays writable below `readOnlyPaths`.
    package var writablePaths: [String] = []
    package var hiddenPaths: [String] = []
    package var hasPrivateTemporaryFolders = false
    package var hasNetwork = true

    package init() {}

    /// What `private_tmp` replaces.
    static let temporaryFolders = ["/tmp", "/var/tmp"]

    /// Its own view of the machine; `nil` when that is everybody's.
    package var view: Sandbox? {
        let places =
            readOnlyPaths.map { Sandbox.Place($0, .readOnly) } + writablePaths.map { Sandbox.Place($0, .writable) }
            + hiddenPaths.map { Sandbox.Place($0, .hidden) }
            + (hasPrivateTemporaryFolders ? WorkerSandbox.temporaryFolders.map { Sandbox.Place($0, .scratch) } : [])
        return places.isEmpty && hasNetwork ? nil : Sandbox(places, hasNetwork: hasNetwork)
    }

    /// For a fingerprint.
    var texts: [String] {
        let lists = [readOnlyPaths, writablePaths, hiddenPaths].flatMap { ["\($0.count)"] + $0.sorted() }
        return lists + [forbidsNewPrivileges, hasPrivateTemporaryFolders, hasNetwork].map { "\($0)" }
    }
}
