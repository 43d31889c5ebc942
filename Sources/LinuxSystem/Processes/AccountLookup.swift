import Glibc

/// Users and groups by name (getpwnam(3), getgrnam(3)), through whatever the device's name service asks: it can block
/// on a network directory, so look names up when a configuration is read, not when a worker is started.
package enum AccountLookup {
    package struct User: Hashable, Sendable {
        package var name: String
        package var uid: UInt32
        package var gid: UInt32
        package var home: String
        package var shell: String
    }

    /// By name, or by number when there is no such name ("1000").
    package static func user(_ name: String) -> User? {
        if let entry = getpwnam(name) { return User(entry.pointee) }
        guard let uid = UInt32(name), let entry = getpwuid(uid) else { return nil }
        return User(entry.pointee)
    }

    /// The user's id of a number, without a name of its own in the user database perhaps.
    package static func user(id uid: UInt32) -> User? {
        getpwuid(uid).map { User($0.pointee) }
    }

    /// The id of a group by name, or by number when there is no such name.
    package static func groupID(_ name: String) -> UInt32? {
        if let entry = getgrnam(name) { return entry.pointee.gr_gid }
        return UInt32(name)
    }

    /// All groups of a user, `gid` included (getgrouplist(3)).
    package static func supplementaryGroups(of user: String, gid: UInt32) -> [UInt32] {
        var groups = [gid_t](repeating: 0, count: 32)
        while true {
            var count = Int32(groups.count)
            if getgrouplist(user, gid, &groups, &count) >= 0 { return Array(groups.prefix(Int(count))) }
            // The count needed came back; the limit is the kernel's (NGROUPS_MAX).
            guard count > groups.count, count <= 65536 else { return [gid] }
            groups = [gid_t](repeating: 0, count: Int(count))
        }
    }
}

extension AccountLookup.User {
    fileprivate init(_ entry: passwd) {
        name = String(cString: entry.pw_name)
        uid = entry.pw_uid
        gid = entry.pw_gid
        home = entry.pw_dir.map { String(cString: $0) } ?? "/"
        shell = entry.pw_shell.map { String(cString: $0) } ?? "/bin/sh"
    }
}

extension SystemCall {
    /// geteuid(2).
    package static func effectiveUserID() -> UInt32 { geteuid() }

    /// getegid(2).
    package static func effectiveGroupID() -> UInt32 { getegid() }

    /// getpid(2).
    package static func processID() -> Int32 { getpid() }

    /// gethostname(2), without its domain; "localhost" when the machine has none.
    package static func hostName() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let name = buffer.prefix { $0 != 0 && $0 != CChar(UInt8(ascii: ".")) }.map { UInt8(bitPattern: $0) }
        return name.isEmpty ? "localhost" : String(decoding: name, as: UTF8.self)
    }
}
