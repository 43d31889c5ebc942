import Glibc

/// The bytes of a numeric address, as a certificate has them.
struct IPAddressBytes {
    let bytes: [UInt8]

    /// - Returns: `nil` for a name.
    init?(_ text: String) {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: &four) { Array($0) }
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        bytes = withUnsafeBytes(of: &six) { Array($0) }
    }
}
