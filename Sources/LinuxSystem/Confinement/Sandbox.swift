import CLinux

/// A process's own view of the machine: paths that it sees otherwise than others do, and no network. In force from before
/// its first instruction, for it and for everything that it starts (namespaces(7)).
///
/// It is made in the child side of the spawn. Without privileges it takes a user namespace, which not every machine grants.
package struct Sandbox: Equatable, Sendable {
    /// What becomes of a path and of everything below it.
    package enum Access: Int, Sendable {
        /// As it is outside, although what is above is read-only.
        case writable
        case readOnly
        /// An empty directory, or an empty file.
        case hidden
        /// A new directory in memory, writable for all, that goes with the process; nothing where there is no directory.
        case scratch
    }

    package struct Place: Equatable, Sendable {
        /// Absolute.
        package var path: String
        package var access: Access

        package init(_ path: String, _ access: Access) {
            self.path = path
            self.access = access
        }

        fileprivate var depth: Int { path.utf8.split(separator: UInt8(ascii: "/")).count }
    }

    /// The outer before the inner, whatever order they were given in: the innermost counts.
    let places: [Place]
    /// Of all interfaces there is only a loopback of its own.
    let hasNetwork: Bool

    package init(_ places: [Place], hasNetwork: Bool = true) {
        // Of one depth, what allows less comes later: names may be links to the same place.
        self.places = places.sorted { ($0.depth, $0.access.rawValue) < ($1.depth, $1.access.rawValue) }
        self.hasNetwork = hasNetwork
    }

    var isEmpty: Bool { places.isEmpty && hasNetwork }

    /// Whether this kernel can keep a process from looking out through other processes of its user: Landlock, from its second
    /// version on (Linux 5.19). The first one would keep files from being moved between folders as well.
    package static let canBeSealed =
        ((try? SystemCall.perform("landlock_create_ruleset") { hf_landlock_version() }) ?? 0) >= 2

    /// The lines of uid_map and gid_map: everybody who is not there is nobody. `nil` with privileges, which need none.
    static func identityMaps() -> (user: String, group: String)? {
        let user = SystemCall.effectiveUserID()
        guard user != 0 else { return nil }
        let group = SystemCall.effectiveGroupID()
        return ("\(user) \(user) 1", "\(group) \(group) 1")
    }
}

extension Sandbox.Access {
    var kind: hf_sandbox_path_kind {
        switch self {
        case .writable: HF_PATH_WRITABLE
        case .readOnly: HF_PATH_READ_ONLY
        case .hidden: HF_PATH_HIDDEN
        case .scratch: HF_PATH_PRIVATE
        }
    }

    /// As a failed step calls it.
    var verb: String {
        switch self {
        case .writable: "leave writable"
        case .readOnly: "make read-only"
        case .hidden: "hide"
        case .scratch: "replace"
        }
    }
}
