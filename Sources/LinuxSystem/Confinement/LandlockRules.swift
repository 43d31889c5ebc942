import CLinux
import Glibc

/// What a process may still open, whatever its user may otherwise: the files named here, and no others (landlock(7), from
/// Linux 5.13). What it inherits open, or is handed, is not concerned.
package struct LandlockRules: Sendable {
    package struct Access: OptionSet, Sendable {
        package let rawValue: Int

        package init(rawValue: Int) {
            self.rawValue = rawValue
        }

        /// Reading files, listing directories.
        package static let read = Access(rawValue: 1)
        /// Changing, making, renaming and removing.
        package static let write = Access(rawValue: 2)
        package static let execute = Access(rawValue: 4)
    }

    private enum Place: Sendable {
        case path(String)
        case descriptor(Int32)
    }

    private var allowed: [(place: Place, access: Access)] = []
    /// Whether it may bind and connect TCP sockets (denied from Linux 6.7 on).
    package var allowsTCP = false
    /// Whether it renames and links from one directory into another, which version 1 (before Linux 5.19) denies to everybody: there
    /// are no rules then.
    package var relinks = false

    package init() {}

    /// Allows a file, or everything below a directory. A path that does not exist is left out.
    package mutating func allow(_ path: String, _ access: Access) {
        allowed.append((.path(path), access))
    }

    /// The same for what a descriptor of ours is open at, wherever it was moved since.
    package mutating func allow(_ descriptor: Int32, _ access: Access) {
        allowed.append((.descriptor(descriptor), access))
    }

    /// The rules as a descriptor that any number of processes can be started with. It holds on to the files themselves:
    /// one that is replaced later is another.
    /// - Returns: `nil` when this kernel has no Landlock, or not switched on.
    package func ruleset() throws(SystemError) -> SharedDescriptor? {
        let version: Int32
        do throws(SystemError) {
            version = try SystemCall.perform("landlock_create_ruleset") { hf_landlock_version() }
        } catch {
            guard error.isNotSupported else { throw error }
            return nil
        }
        if relinks, version < 2 { return nil }
        let governed = Rights.known(to: version)
        let ruleset = Descriptor(
            owning: try SystemCall.perform("landlock_create_ruleset") {
                hf_landlock_ruleset(
                    governed.rawValue, version >= 4 && !allowsTCP ? Rights.tcp : 0, version >= 6 ? Rights.scopes : 0)
            })
        for (place, access) in allowed {
            switch place {
            case .descriptor(let number): try Self.add(number, Rights(access).intersection(governed), to: ruleset)
            case .path(let path):
                do throws(SystemError) {
                    let file = try SystemCall.open(path, .path)
                    try Self.add(file.rawValue, Rights(access).intersection(governed), to: ruleset)
                } catch {
                    guard error.isNotFound else { throw error.about(path) }
                }
            }
        }
        return SharedDescriptor(ruleset)
    }

    /// What a process may do in a directory that is all its own, as far as this kernel knows it; 0 without Landlock.
    static var rightsOfScratch: UInt64 {
        guard let version = try? SystemCall.perform("landlock_create_ruleset", nil, { hf_landlock_version() }) else {
            return 0
        }
        return Rights([.read, .write] as Access).intersection(.known(to: version)).rawValue
    }

    private static func add(_ file: Int32, _ rights: Rights, to ruleset: borrowing Descriptor) throws(SystemError) {
        // Rights that only a directory can have are refused for anything else.
        let isDirectory = try SystemCall.status(file).kind == .directory
        let rights = isDirectory ? rights : rights.intersection(.ofFiles)
        let number = ruleset.rawValue
        guard !rights.isEmpty else { return }
        try SystemCall.perform("landlock_add_rule") { hf_landlock_allow(number, file, rights.rawValue) }
    }
}

/// LANDLOCK_ACCESS_FS_* of <linux/landlock.h>, by the version that brought them.
private struct Rights: OptionSet {
    let rawValue: UInt64

    static let execute = Rights(rawValue: 1 << 0)
    static let writeFile = Rights(rawValue: 1 << 1)
    static let readFile = Rights(rawValue: 1 << 2)
    static let readDirectory = Rights(rawValue: 1 << 3)
    /// Removing, making, of all kinds.
    static let changeDirectory = Rights(rawValue: 0x1ff0)
    static let makeDevices = Rights(rawValue: 1 << 6 | 1 << 11)
    /// Renaming and linking from one directory into another.
    static let refer = Rights(rawValue: 1 << 13)
    static let truncate = Rights(rawValue: 1 << 14)
    static let controlDevice = Rights(rawValue: 1 << 15)

    static let first = Rights(rawValue: 0x1fff)
    static let ofFiles: Rights = [.execute, .writeFile, .readFile, .truncate, .controlDevice]

    /// LANDLOCK_ACCESS_NET_BIND_TCP and CONNECT_TCP, of version 4.
    static let tcp: UInt64 = 3
    /// LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and LANDLOCK_SCOPE_SIGNAL, of version 6: neither reaches processes outside.
    static let scopes: UInt64 = 3

    static func known(to version: Int32) -> Rights {
        var rights = first
        if version >= 2 { rights.insert(.refer) }
        if version >= 3 { rights.insert(.truncate) }
        if version >= 5 { rights.insert(.controlDevice) }
        return rights
    }
}

extension Rights {
    init(_ access: LandlockRules.Access) {
        self = []
        if access.contains(.read) { formUnion([.readFile, .readDirectory]) }
        if access.contains(.execute) { insert(.execute) }
        if access.contains(.write) {
            formUnion([.writeFile, .changeDirectory, .refer, .truncate])
            subtract(.makeDevices)
        }
    }
}
