import CLinux
import Glibc

/// The environment that the process was started with (environ(7)).
package enum ProcessEnvironment {
    /// What this program was called as, without a folder. Swift's own arguments come out of /proc, which a confined process
    /// may not read.
    package static var programName: String { String(cString: hf_program_name()) }

    /// A variable's value, or `nil` when it is not set.
    package static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    /// All variables as "NAME=value" whose name is accepted.
    package static func all(where isWanted: (String) -> Bool) -> [String] {
        variables(withPrefix: "").filter { isWanted($0.name) }
            .map { "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))" }
    }

    /// The variables whose names begin with the prefix, in no particular order. Values are bytes: nothing promises that
    /// they are UTF-8.
    package static func variables(withPrefix prefix: String) -> [(name: String, value: [UInt8])] {
        var found: [(name: String, value: [UInt8])] = []
        var entry = hf_environment()
        while let text = entry?.pointee {
            entry = entry?.successor()
            guard strncmp(text, prefix, prefix.utf8.count) == 0, let equals = strchr(text, Int32(UInt8(ascii: "=")))
            else { continue }
            let name = UnsafeRawBufferPointer(start: text, count: equals - text)
            let value = UnsafeRawBufferPointer(start: equals + 1, count: strlen(equals + 1))
            found.append((String(decoding: name, as: UTF8.self), Array(value)))
        }
        return found
    }
}
