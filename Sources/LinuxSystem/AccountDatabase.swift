import Glibc

/// A user of the machine (passwd(5)).
package struct UserAccount: Hashable, Sendable {
    package var name: String
    package var uid: UInt32
    /// The user's primary group.
    package var gid: UInt32
    package var home: String
}

/// A group of the machine (group(5)).
package struct GroupAccount: Hashable, Sendable {
    package var name: String
    package var gid: UInt32
}

/// Users and groups by name, through the name service of the C library. A name service that asks the network can block:
/// the runtime looks names up when it reads its configuration, never while it supervises.
package enum AccountDatabase {
    /// Entries longer than this (a group with many thousand members) are refused with ERANGE.
    private static let largestEntry = 1 << 20

    /// The user with this name, or `nil` when there is none (getpwnam_r(3)).
    package static func user(named name: String) throws(SystemError) -> UserAccount? {
        try entry("getpwnam", name) { buffer, capacity, code in
            var record = passwd()
            var found: UnsafeMutablePointer<passwd>?
            code = getpwnam_r(name, &record, buffer, capacity, &found)
            return found.map {
                UserAccount(
                    name: text($0.pointee.pw_name), uid: $0.pointee.pw_uid, gid: $0.pointee.pw_gid,
                    home: text($0.pointee.pw_dir))
            }
        }
    }

    /// The group with this name, or `nil` when there is none (getgrnam_r(3)).
    package static func group(named name: String) throws(SystemError) -> GroupAccount? {
        try entry("getgrnam", name) { buffer, capacity, code in
            var record = Glibc.group()
            var found: UnsafeMutablePointer<Glibc.group>?
            code = getgrnam_r(name, &record, buffer, capacity, &found)
            return found.map { GroupAccount(name: text($0.pointee.gr_name), gid: $0.pointee.gr_gid) }
        }
    }

    /// `primary` and the groups of which the group database makes the user a member (getgrouplist(3)).
    package static func groups(ofUser name: String, primary: UInt32) -> [UInt32] {
        var count: Int32 = 32
        while true {
            let capacity = count
            var groups = [gid_t](repeating: 0, count: Int(capacity))
            if getgrouplist(name, primary, &groups, &count) >= 0 { return Array(groups.prefix(Int(count))) }
            // The call says how many there are; should it not, ask for more, up to the kernel's own limit.
            count = max(count, capacity * 2)
            if count > 65536 { return [primary] }
        }
    }

    /// Calls `body` with a growing buffer until the entry fits.
    private static func entry<Account>(
        _ call: String, _ name: String,
        _ body: (UnsafeMutablePointer<CChar>, Int, inout Int32) -> Account?
    ) throws(SystemError) -> Account? {
        var capacity = 1024
        while true {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
            defer { buffer.deallocate() }
            var code: Int32 = 0
            if let account = body(buffer, capacity, &code) { return account }
            switch code {
            case EINTR: continue
            case ERANGE where capacity < largestEntry: capacity *= 2
            // What the manual lists as "not found" besides 0.
            case 0, ENOENT, ESRCH: return nil
            default: throw SystemError(call: call, errno: code, subject: name)
            }
        }
    }

    private static func text(_ bytes: UnsafeMutablePointer<CChar>?) -> String {
        bytes.map { String(cString: $0) } ?? ""
    }
}
