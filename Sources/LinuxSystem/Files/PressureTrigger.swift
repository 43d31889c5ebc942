/// A trigger of the kernel's pressure stall information (/proc/pressure; the kernel's accounting/psi): a descriptor that shows
/// `Readiness.priority` when tasks have waited for something for too long, at most once in each window. Nobody polls.
package enum PressureTrigger {
    /// Only multiples of it are open to processes without privileges.
    package static let window: Duration = .seconds(2)
    private static let windowMicroseconds = 2_000_000
    /// What the kernel takes for more than nothing.
    private static let shortestStallMicroseconds = 1000

    /// Opens a trigger that lives as long as its open file.
    ///
    /// Errors: ENOENT or EOPNOTSUPP where the kernel does not count pressure (CONFIG_PSI, psi=1); EPERM where it lets only root.
    /// - Parameters:
    ///   - resource: "memory", "cpu" or "io".
    ///   - share: of the window in which some task waited, in percent.
    package static func open(_ resource: String, share: Double) throws(SystemError) -> Descriptor {
        let file = try SystemCall.open("/proc/pressure/\(resource)", [.readWrite, .nonBlocking])
        let stall = Int(share / 100 * Double(windowMicroseconds))
        let bounded = min(max(stall, shortestStallMicroseconds), windowMicroseconds)
        // With its final zero, as the kernel's own example writes it.
        _ = try SystemCall.write(file.rawValue, Array("some \(bounded) \(windowMicroseconds)\0".utf8))
        return file
    }
}
