import Glibc

/// The name of this machine (gethostname(2)).
package enum HostName {
    /// The current name; "localhost" when the machine has none.
    package static func current() -> String {
        // 64 bytes at most on Linux, and the terminating one.
        var buffer = [CChar](repeating: 0, count: 65)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return bytes.isEmpty ? "localhost" : String(decoding: bytes, as: UTF8.self)
    }
}
