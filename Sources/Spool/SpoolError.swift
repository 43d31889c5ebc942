package import LinuxSystem

package enum SpoolError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Nothing more fits the quota, and the policy is to refuse.
    case full(quota: Int)
    case recordTooLarge(bytes: Int, limit: Int)
    /// A newer version of the program has written a file.
    case unknownVersion(file: String, version: Int)
    case system(SystemError)

    package var description: String {
        switch self {
        case .full(let quota): "the spool is full (\(quota) bytes); raise its quota, or see why nothing is delivered"
        case .recordTooLarge(let bytes, let limit): "a record of \(bytes) bytes is too large; \(limit) are allowed"
        case .unknownVersion(let file, let version):
            "\(file) has version \(version) of the format, which this program does not know; use the newer one"
        case .system(let error): error.description
        }
    }
}
